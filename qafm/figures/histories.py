"""The learning curves of training, read from history.csv: per stage all seeds side by side."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from qafm.errors import InputError, reading
from qafm.tables.csv_rows import read_rows

STAGES = ("extractor", "apan", "apn", "baseline-a", "baseline-b", "fusion", "mspa")
History = tuple[str, int, Path]


class Curves(NamedTuple):
    """What one stage's training wrote; S seeds, E epochs."""

    stage: str
    seeds: list[int]  # [S], ascending
    epochs: np.ndarray  # int [E], ascending: all that any seed has
    values: dict[str, np.ndarray]  # per column float64 [S, E], NaN where a seed has no value; columns without any value are left out


def read_histories(histories: Sequence[History]) -> list[Curves]:
    """Read the curves of (stage, seed, history.csv), stages in the order of the pipeline, unknown ones behind.

    Raises:
        InputError: no history, two of one stage and seed, or a file that is none.
    """
    if not histories:
        raise InputError("training curves: no history to draw")
    by_stage: dict[str, dict[int, Path]] = {}
    for stage, seed, path in histories:
        if path != by_stage.setdefault(stage, {}).setdefault(seed, path):
            raise InputError(f"{path}: a second history of {stage}, seed {seed}")
    order = [*(stage for stage in STAGES if stage in by_stage), *(stage for stage in by_stage if stage not in STAGES)]
    return [_align(stage, {seed: _read(path) for seed, path in sorted(by_stage[stage].items())}) for stage in order]


def _align(stage: str, tables: dict[int, dict[str, dict[int, float]]]) -> Curves:
    """Put the seeds' columns, each epoch -> value, into common arrays."""
    epochs = sorted({epoch for table in tables.values() for column in table.values() for epoch in column})
    columns = dict.fromkeys(name for table in tables.values() for name in table)
    values = {name: np.array([[table.get(name, {}).get(epoch, np.nan) for epoch in epochs] for table in tables.values()]) for name in columns}
    return Curves(stage, list(tables), np.array(epochs), {name: array for name, array in values.items() if np.isfinite(array).any()})


def _read(path: Path) -> dict[str, dict[int, float]]:
    """Column -> epoch -> value; empty cells and values that are not finite become NaN."""
    with reading(path, "is no learning curve"):
        rows = read_rows(path, ["epoch"])
        columns = [name for name in (rows[0] if rows else ()) if name not in ("epoch", "images_seen")]
        table = {name: {int(row["epoch"]): _number(row[name]) for row in rows} for name in columns}
    if not columns:
        raise InputError(f"{path}: the learning curve is empty")
    return table


def _number(cell: str) -> float:
    value = float(cell) if cell.strip() else np.nan
    return value if np.isfinite(value) else np.nan
