"""How many images went through a system's networks while it was trained."""

from pathlib import Path

from qafm.runtime.errors import reading
from qafm.tables.csv_rows import read_rows


def images_seen(history: Path) -> tuple[int, int]:
    """Epochs and images of one training; an image counts as often as it was shown.

    Args:
        history: its learning curve, a row per epoch.

    Raises:
        InputError: it cannot be read, or does not count images.
    """
    rows = read_rows(history, ["epoch", "images_seen"])
    with reading(history, "does not end with a number of images seen"):
        return len(rows), int(float(rows[-1]["images_seen"]))
