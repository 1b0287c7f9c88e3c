"""Write docs/figures.md: the figures of a finished run with their captions, the pictures beside it as WebP.

usage: write_figures_page.py FIGURES PAGE.md COMMAND

Only for the synthetic data set: no picture of a real person belongs into a repository.
"""

import sys
from pathlib import Path

import cv2

from qafm.figures.contents import FIGURES
from qafm.figures.drawing.caption import read_caption

HEAD = """# The figures of a run

    {command}

draws the paper's figures for the run it makes, into `results/figures/` and onto `results/report.html`. Here they are for the embedded synthetic data
set, three seeds; the captions are the run's own (`results/figures/*.rst`). The people are drawn by the project. Page and pictures are written by
`python workflow/write_figures_page.py results/figures docs/figures.md "{command}"`.

Style (`figures.style`: size, resolution, PNG, SVG or PDF) and examples (`figures.examples`: a pid for Figure 1, a query for Figures 9 and 10) are set
in the configuration; a change of the style redraws figures alone. On Market-1501 the paper's own examples are

    figures:
      examples: {{success: 1121_c2s2_153452_00.jpg, failure: 0747_c6s4_000377_00.jpg}}
"""
QUALITY = 85


def main(figures: str, page: str, command: str) -> None:
    """Convert the pictures and write the page."""
    folder = Path(page).with_suffix("")
    folder.mkdir(exist_ok=True)
    text = [HEAD.format(command=command)]
    for name, (_, title) in FIGURES.items():
        picture = cv2.imread(str(Path(figures) / f"{name}.png"))
        if picture is None:
            sys.exit(f"{figures}/{name}.png: cannot be read; make the run first")
        cv2.imwrite(str(folder / f"{name}.webp"), picture, [cv2.IMWRITE_WEBP_QUALITY, QUALITY])
        caption = read_caption(Path(figures) / f"{name}.rst").replace("<", "&lt;")
        text.append(f"## {title}\n\n![{title}]({folder.name}/{name}.webp)\n\n{caption}\n")
    Path(page).write_text("\n".join(text), encoding="utf-8")


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    main(*sys.argv[1:])
