"""What trainings and evaluations of companion c2 left on disk, read back."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from qafm.companions.slicenet.protocols import PROTOCOLS, Metrics
from qafm.errors import InputError, reading
from qafm.runtime.files import read_json
from qafm.tables.csv_rows import read_rows

_LOOKED = "top10_mAP"  # filled in the epochs in which query and gallery were looked at


@dataclass(frozen=True)
class EpochMetrics:
    """The state of a training after one of its epochs.

    Args:
        epoch: 1-based.
        images_seen: images that went through the network so far.
        protocols: protocol -> metrics in percent, without counts; None where it cannot be measured.
    """

    epoch: int
    images_seen: int
    protocols: dict[str, Metrics | None]


def read_protocols(path: Path, row: str) -> dict[str, Metrics | None]:
    """Protocol -> metrics, as `evaluate_slicenet` wrote them.

    Raises:
        InputError: the file is something else, or of another row.
    """
    with reading(path, "is no artifact of evaluate_slicenet"):
        content: dict[str, Any] = read_json(path)
        found = {name: content["protocols"][name] for name in PROTOCOLS}
        name = content["row"]
    if name != row:
        raise InputError(f"{path}: is of row {name}, expected {row}")
    return found


def read_looks(path: Path) -> list[EpochMetrics]:
    """The epochs of a history.csv in which query and gallery were looked at, ascending; the last epoch is one of them.

    Raises:
        InputError: the file is no learning curve of `train_slicenet`.
    """
    with reading(path, "is no learning curve of train_slicenet"):
        rows = read_rows(path, ["epoch", "images_seen", _LOOKED])
        looks = [EpochMetrics(int(row["epoch"]), int(row["images_seen"]), _protocols(row)) for row in rows if row[_LOOKED]]
    if not looks or not rows[-1][_LOOKED]:
        raise InputError(f"{path}: ends without a look at query and gallery")
    return looks


def best_look(looks: list[EpochMetrics]) -> EpochMetrics:
    """The look of highest top-10 mAP, the first of equal ones: what the report calls its result, chosen on the test images."""
    return max(looks, key=lambda look: ((look.protocols["top10"] or {}).get("mAP", -math.inf), -look.epoch))


def _protocols(row: dict[str, str]) -> dict[str, Metrics | None]:
    found = {}
    for protocol in PROTOCOLS:
        cells = {name.removeprefix(f"{protocol}_"): cell for name, cell in row.items() if name.startswith(f"{protocol}_") and cell}
        found[protocol] = {name: float(cell) for name, cell in cells.items()} or None
    return found
