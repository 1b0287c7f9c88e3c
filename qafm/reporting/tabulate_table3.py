"""table3.csv: the methods that the paper compares, as published, and what this run measured."""

from collections.abc import Sequence
from pathlib import Path

from qafm.config.ablation import RIVALS, Rival
from qafm.errors import InputError
from qafm.evaluation.ablation_rows import Cells, write_table
from qafm.tables.csv_rows import read_rows
from qafm.tables.table3 import METRICS, OWN_METHODS, PUBLISHED, SOURCES
from qafm.tables.table4 import GALLERIES, Run

_COPIED = ("dataset", "features", "model", "init", "gallery", "n_queries", "n_seeds")


def tabulate_table3(table4: Path, table4_extra: Path, run: Run, rivals: Sequence[Rival], out: Path) -> None:
    """Write table3.csv: the published rows in the paper's order, then QAFM, both branches' own descriptors and the rivals per gallery.

    Rows of different data sets are not comparable: the published ones are of Market-1501 whatever the data set of the run, and say so in `dataset`.
    `comparable` is "true" for the rows that may be held against each other: only where the run is on Market-1501, and there our rows of the standard
    gallery and the published ones, save those known to come from another retrieval task (`protocol_note`).

    Args:
        table4: results/table4.csv.
        table4_extra: results/table4_extra.csv.
        run: what the table belongs to.
        rivals: rows with networks of their own that the run has.
        out: the table; a number that was not published or not measured is empty.

    Raises:
        InputError: a table is missing or broken, lacks a row, or is of another run.
    """
    measured = _read(table4, run) | {key: row for key, row in _read(table4_extra, run).items() if key[0] != "QAFM"}
    own = [experiment for experiment in OWN_METHODS if experiment not in RIVALS or experiment in rivals]
    for experiment in own:
        if (experiment, GALLERIES[0]) not in measured:
            raise InputError(f"{table4 if experiment == 'QAFM' else table4_extra}: has no row {experiment} of gallery {GALLERIES[0]}")
    ours = [_own(measured[experiment, gallery], run) for gallery in GALLERIES for experiment in own if (experiment, gallery) in measured]
    write_table(out, _columns(ours), [*_published(run), *ours])


def _columns(ours: Sequence[Cells]) -> list[str]:
    """Metrics have their `_sd` over seeds beside them where our rows have one."""
    metrics = [name for metric in METRICS for name in ((metric, f"{metric}_sd") if f"{metric}_sd" in ours[0] else (metric,))]
    identity = ("method", "source", "dataset", "features", "model", "init", "gallery")
    return [*identity, *metrics, "n_queries", "n_seeds", "comparable", "protocol_note"]


def _read(path: Path, run: Run) -> dict[tuple[str, str], Cells]:
    """Rows by experiment and gallery."""
    rows = read_rows(path, ("experiment", *_COPIED))
    for row in rows:
        for name in ("dataset", "features", "model", "init"):
            if row[name] != getattr(run, name):
                raise InputError(f"{path}: {row['experiment']} is of {name} {row[name]!r}, expected {getattr(run, name)!r}")
    return {(row["experiment"], row["gallery"]): row for row in rows}


def _own(row: Cells, run: Run) -> Cells:
    method, note = OWN_METHODS[row["experiment"]]
    metrics = {name: row[name] for metric in METRICS for name in (metric, f"{metric}_sd") if name in row}
    comparable = run.market1501 and row["gallery"] == GALLERIES[0]
    copied = {name: row[name] for name in _COPIED}
    return {"method": method, "source": SOURCES[1], **copied, **metrics, "comparable": _flag(comparable), "protocol_note": note}


def _published(run: Run) -> list[Cells]:
    rows = []
    for row in PUBLISHED:
        metrics = {name: getattr(row, name) for name in METRICS}
        comparable = _flag(run.market1501 and row.same_protocol)
        note = row.protocol_note
        rows.append({"method": row.method, "source": SOURCES[0], "dataset": "market1501", **metrics, "comparable": comparable, "protocol_note": note})
    return rows


def _flag(value: bool) -> str:
    return "true" if value else "false"
