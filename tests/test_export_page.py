"""The examples of docs/export.md run as they stand, in order, and their results are those of the model."""

import re
from pathlib import Path

import numpy as np
import pytest

from qafm.errors import InputError


def test_the_examples_run(project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    blocks = re.findall(r"^```python\n(.*?)^```", (project / "docs" / "export.md").read_text(), flags=re.DOTALL | re.MULTILINE)
    assert len(blocks) == 3 and len(blocks[1].strip().splitlines()) <= 13
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    for number, block in enumerate(blocks):
        exec(compile(block, f"docs/export.md, example {number + 1}", "exec"), names)
    crops = [np.array(crop) for crop in names["crops"]]  # type: ignore[attr-defined]
    expected = names["model"].embed(crops, quality=False).descriptor  # type: ignore[attr-defined]
    np.testing.assert_allclose(names["descriptor"], expected, rtol=0, atol=1e-4)  # type: ignore[call-overload]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["reid.onnx", "reid.pt2"]
    with pytest.raises(InputError, match=r"reid\.onnx: is there already"):
        names["export_onnx"](names["model"], Path("reid.onnx"))  # type: ignore[operator]
