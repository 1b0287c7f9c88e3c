"""The examples of docs/python-api.md run as they stand, in order."""

import re
from pathlib import Path

import pytest

from qafm.config.bundle import BundleConfig


def test_the_examples_run(project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    blocks = re.findall(r"^```python\n(.*?)^```", (project / "docs" / "python-api.md").read_text(), flags=re.DOTALL | re.MULTILINE)
    assert len(blocks) >= 8
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    for number, block in enumerate(blocks):
        exec(compile(block, f"docs/python-api.md, example {number + 1}", "exec"), names)
    printed = capsys.readouterr().out
    assert "image 0: is float64 [128, 64, 3], expected uint8 [height, width, 3] in RGB" in printed
    shipped = BundleConfig.model_validate_json((project / "qafm" / "bundles" / "shipped" / "bundle.json").read_text())
    assert shipped.name in printed and all(name in printed for name in ("up_color", "gender"))
