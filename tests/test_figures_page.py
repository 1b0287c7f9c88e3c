"""docs/figures.md is written from a run's figures and captions."""

import re
import runpy
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from qafm.figures.contents import FIGURES
from qafm.figures.drawing.caption import write_caption


@pytest.fixture
def writer(project: Path) -> dict[str, Any]:
    return runpy.run_path(str(project / "workflow" / "write_figures_page.py"))


def test_every_figure_stands_on_the_page_with_its_caption(writer: dict[str, Any], tmp_path: Path) -> None:
    figures = tmp_path / "figures"
    figures.mkdir()
    for i, name in enumerate(FIGURES):
        cv2.imwrite(str(figures / f"{name}.png"), np.full((8, 6, 3), 10 * i, np.uint8))
        write_caption(figures / f"{name}.rst", f"Caption {i} of a_b <i>.")
    writer["main"](str(figures), str(tmp_path / "page.md"), "make all")
    text = (tmp_path / "page.md").read_text()
    for i, (name, (_, title)) in enumerate(FIGURES.items()):
        assert f"## {title}\n\n![{title}](page/{name}.webp)\n\nCaption {i} of a_b &lt;i>.\n" in text
        picture = cv2.imread(str(tmp_path / "page" / f"{name}.webp"))
        assert picture is not None and picture.shape == (8, 6, 3) and abs(int(picture.mean()) - 10 * i) < 3


def test_a_missing_figure_is_named(writer: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r"figure1_identity\.png: cannot be read; make the run first"):
        writer["main"](str(tmp_path), str(tmp_path / "page.md"), "make all")


def test_the_committed_page_shows_what_the_pipeline_draws(project: Path) -> None:
    assert sorted(path.stem for path in (project / "docs" / "figures").iterdir()) == sorted(FIGURES)
    pictures = [(title, f"![{title}](figures/{name}.webp)") for name, (_, title) in FIGURES.items()]
    text = (project / "docs" / "figures.md").read_text()
    assert re.findall(r"^## (.+)\n\n(!\[.+)$", text, flags=re.MULTILINE) == pictures
