"""What the weight figures show: Q and w of every query and gallery image of a run."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow.compute as pc

from qafm.errors import InputError
from qafm.tables.parquet import read_parquet


class Weights(NamedTuple):
    """Q and visual weight of one side, images without Q left out."""

    q: np.ndarray  # float64 [N]
    visual_weight: np.ndarray  # float64 [N]
    without_q: int = 0  # images left out

    @property
    def paper_alpha(self) -> np.ndarray:
        """The weight of APAN, as the paper's tables and figures print it."""
        return 1 - self.visual_weight


def read_weights(embeddings: Path) -> dict[str, Weights]:
    """Q and w by side, "query" and "gallery" (with its distractors).

    Raises:
        InputError: a side has no image with a Q.
    """
    table = read_parquet(embeddings, columns=["split", "q", "visual_weight"])
    sides = {}
    for side in ("query", "gallery"):
        images = table.filter(pc.field("split") == side)
        rows = images.filter(pc.field("q").is_valid())
        if rows.num_rows == 0:
            raise InputError(f"{embeddings}: no {side} image has a Q, so there is nothing to draw")
        sides[side] = Weights(rows["q"].to_numpy(), rows["visual_weight"].to_numpy(), images.num_rows - rows.num_rows)
    return sides
