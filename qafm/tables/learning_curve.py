"""history.csv of a training, a row per epoch: how long it was and which epoch's weights it ended with."""

from pathlib import Path

from qafm.errors import InputError, reading
from qafm.tables.csv_rows import read_rows


def images_seen(history: Path) -> tuple[int, int]:
    """Epochs and images of one training; an image counts as often as it was shown.

    Args:
        history: its learning curve.

    Raises:
        InputError: it cannot be read, or does not count images.
    """
    rows = read_rows(history, ["epoch", "images_seen"])
    with reading(history, "does not end with a number of images seen"):
        return len(rows), int(float(rows[-1]["images_seen"]))


def kept_epoch(history: Path) -> int:
    """The epoch, from 1 on, whose weights a training with early stopping kept.

    Args:
        history: its learning curve.

    Raises:
        InputError: it cannot be read, or does not say so.
    """
    kept = [int(row["epoch"]) for row in read_rows(history, ["epoch", "kept"]) if row["kept"] == "1"]
    if len(kept) != 1:
        raise InputError(f"{history}: {len(kept)} epochs are marked as kept, expected 1")
    return kept[0]
