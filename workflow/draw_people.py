"""Draw docs/synthetic.png: synthetic people, one identity per column, each row another camera; the last row shows degraded images.

usage: draw_people.py MANIFEST RAW OUT
"""

import sys
from pathlib import Path

import cv2
import numpy as np
import pandas as pd

COLUMNS, CLEAN_ROWS, GAP = 14, 3, 3


def choose(people: pd.DataFrame) -> list[str]:
    """Paths of one column: clean images of different cameras, then a degraded one."""
    clean = people[people["degradation"] == "none"].drop_duplicates("camid").head(CLEAN_ROWS)
    degraded = people[people["degradation"] != "none"].sort_values("level").head(1)
    return [*clean["path"], *degraded["path"]]


def main(manifest: str, raw: str, out: str) -> None:
    """Read the manifest, lay the images out, write the picture."""
    table = pd.read_csv(manifest)
    table = table[(table["pid"] > 0) & table["path"].str.startswith("bounding_box_train")]
    columns = [paths for _, people in table.groupby("pid") if len(paths := choose(people)) == CLEAN_ROWS + 1][:COLUMNS]
    images = [[cv2.imread(str(Path(raw) / path)) for path in paths] for paths in columns]
    height, width = images[0][0].shape[:2]
    sheet = np.full(((height + GAP) * (CLEAN_ROWS + 1) - GAP, (width + GAP) * COLUMNS - GAP, 3), 255, np.uint8)
    for x, column in enumerate(images):
        for y, image in enumerate(column):
            sheet[y * (height + GAP) :, x * (width + GAP) :][:height, :width] = image
    cv2.imwrite(out, sheet)


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    main(*sys.argv[1:])
