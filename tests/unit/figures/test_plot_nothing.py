"""A figure that cannot be drawn says why."""

from pathlib import Path

import cv2

from qafm.config.figures import StyleConfig
from qafm.figures.drawing.caption import read_caption
from qafm.figures.plot_nothing import plot_nothing


def test_the_reason_stands_in_every_format(tmp_path: Path) -> None:
    paths = [tmp_path / f"figure.{kind}" for kind in ("png", "svg", "pdf", "rst")]
    plot_nothing("No query has a wrong first rank.", "tiny, seed 1", StyleConfig(dpi=60), paths)
    assert read_caption(paths[-1]) == "No query has a wrong first rank. Run: tiny, seed 1."
    assert "No query has a wrong first rank" in paths[1].read_text()
    image = cv2.imread(str(paths[0]))
    assert image is not None and image.min() < 100  # something is written on it
    assert paths[2].read_bytes().startswith(b"%PDF")
