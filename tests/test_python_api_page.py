"""The examples of docs/python-api.md run as they stand, in order."""

import re
from pathlib import Path

import cv2
import pytest

from qafm.config.bundle import BundleConfig
from qafm.datasets.read_image import read_image


def crops_of_people(project: Path, folder: Path) -> None:
    """Two synthetic people, cut from the picture of them in docs/, and a file that is no image."""
    folder.mkdir()
    picture = read_image(project / "docs" / "synthetic.png")
    for i in range(2):
        cv2.imwrite(str(folder / f"{i}.png"), picture[40:240, 70 * i : 70 * i + 60, ::-1])
    (folder / "text.jpg").write_text("no picture")


def test_the_examples_run(project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    blocks = re.findall(r"^```python\n(.*?)^```", (project / "docs" / "python-api.md").read_text(), flags=re.DOTALL | re.MULTILINE)
    assert len(blocks) >= 8
    monkeypatch.chdir(tmp_path)
    crops_of_people(project, tmp_path / "crops")
    names: dict[str, object] = {}
    for number, block in enumerate(blocks):
        exec(compile(block, f"docs/python-api.md, example {number + 1}", "exec"), names)
    printed = capsys.readouterr().out
    assert f"crops/text.jpg: cannot be decoded as an image\n2 (2, {names['model'].dim})\n" in printed  # type: ignore[attr-defined]
    assert "image 0: is float64 [128, 64, 3], expected uint8 [height, width, 3] in RGB" in printed
    shipped = BundleConfig.model_validate_json((project / "qafm" / "bundles" / "shipped" / "bundle.json").read_text())
    assert shipped.name in printed and all(name in printed for name in ("up_color", "gender"))
