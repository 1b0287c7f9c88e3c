"""Stage 7: attributes.csv, how well APAN knows the attributes after stage 1 (trained alone) and after stage 2 (within QAFM), seeds averaged."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from qafm.errors import InputError
from qafm.evaluation.ablation_rows import Cells, as_percent, mean_cells, write_table
from qafm.evaluation.attribute_accuracy import OFFICIAL_COLUMNS, SCORE_COLUMNS
from qafm.tables.csv_rows import read_rows
from qafm.tables.spread import with_spread
from qafm.tables.table4 import Run

STAGES = {"apan": "stage1", "fusion": "stage2"}  # part of the weights -> the paper's training stage
SETS = ("gallery", "holdout")
COUNTS = ("n", "n_images")
BASELINES = ("majority", "official_majority")
SCORES = ("accuracy", "macro_f1", "official")
AVERAGE = "average"
# Percent right of the APR baseline whose predictions (gallery_market.mat) come with the labels of Market-1501, by their official script.
APR_OFFICIAL = {
    "gender": 86.4506,
    "hair": 83.6523,
    "age": 87.0759,
    "up": 93.6637,
    "down": 93.3206,
    "clothes": 91.4602,
    "hat": 97.1331,
    "backpack": 82.7907,
    "bag": 75.0667,
    "handbag": 89.9809,
    "up_color": 73.3969,
    "down_color": 69.9123,
    AVERAGE: 85.3253,
}

Values = dict[str, float | None]
Table = dict[tuple[str, str], Values]  # (set, attribute or AVERAGE) -> column of SCORE_COLUMNS -> value


def tabulate_attributes(files: Sequence[tuple[int, str, Path]], run: Run, out: Path) -> None:
    """Write attributes.csv: one row per set and attribute in the paper's order and their average, percents as means over seeds.

    `accuracy_*`, `macro_f1_*` and `majority` are over the `n` images with a known label, `official_*` over all `n_images`, where an unknown label
    counts as wrong. "average" is the unweighted mean over the attributes that have a value; its `_sd` is that of the seeds' averages. On Market-1501
    `apr_official` holds the official scores of another work, APR, measured on the same gallery images.

    Args:
        files: (seed, "apan" = after stage 1 | "fusion" = after stage 2, CSV of `score_attributes`). A stage that was not run has empty columns.
        run: what the table belongs to.
        out: the table; with several seeds each stage column has its sample standard deviation beside it.

    Raises:
        InputError: no file, a broken one, files of different images, or stages with different seeds.
    """
    stages, labels = _read_stages(files)
    seeds = sorted(next(iter(stages.values())))
    shown = [name for name in SETS if (name, AVERAGE) in labels]
    rows = []
    for subset in shown:
        for attribute in (*OFFICIAL_COLUMNS, AVERAGE):
            key = subset, attribute
            cells = {"attribute": attribute, "set": subset, "dataset": run.dataset, "features": run.features, "model": run.model, "init": run.init}
            cells |= _label_cells(labels[key]) | {"n_seeds": str(len(seeds))}
            for stage, tables in stages.items():
                cells |= _score_cells([tables[seed][key] for seed in seeds], STAGES[stage])
            if subset == "gallery":
                cells["apr_official"] = as_percent(APR_OFFICIAL[attribute])
            rows.append(cells)
    write_table(out, _columns(len(seeds), run.market1501), rows)


def _columns(n_seeds: int, market1501: bool) -> list[str]:
    own = with_spread([f"{score}_{stage}" for stage in STAGES.values() for score in ("accuracy", "macro_f1")], n_seeds)
    official = with_spread([f"official_{stage}" for stage in STAGES.values()], n_seeds)
    published = ["apr_official"] if market1501 else []
    return [
        "attribute",
        "set",
        "dataset",
        "features",
        "model",
        "init",
        "n",
        "n_images",
        "majority",
        *own,
        "official_majority",
        *official,
        "n_seeds",
        *published,
    ]


def _read_stages(files: Sequence[tuple[int, str, Path]]) -> tuple[dict[str, dict[int, Table]], Table]:
    """The tables of all files by stage and seed, and one of them for what does not depend on the weights."""
    stages: dict[str, dict[int, Table]] = {}
    first: tuple[Path, Table] | None = None
    for seed, stage, path in files:
        if stage not in STAGES:
            raise InputError(f"{path}: stage {stage!r} is none of {', '.join(STAGES)}")
        table = _read(path)
        first = first or (path, table)
        if _unlearned(table) != _unlearned(first[1]):
            raise InputError(f"{path}: is of other images or labels than {first[0]}")
        if stages.setdefault(stage, {}).setdefault(seed, table) is not table:
            raise InputError(f"{path}: a second file of {stage}, seed {seed}")
    if first is None:
        raise InputError("table: no file to tabulate")
    if len({tuple(sorted(seeds)) for seeds in stages.values()}) != 1:
        raise InputError(f"table: stages have different seeds: { {stage: sorted(seeds) for stage, seeds in stages.items()} }")
    return stages, first[1]


def _read(path: Path) -> Table:
    """One file, with the averages of its sets."""
    rows = read_rows(path, SCORE_COLUMNS)
    table: Table = {}
    for row in rows:
        try:
            table[row["set"], row["attribute"]] = {name: float(row[name]) if row[name] else None for name in (*COUNTS, *BASELINES, *SCORES)}
        except ValueError as error:
            raise InputError(f"{path}: {row['set']}, {row['attribute']}: {error}") from error
    sets = {name for name, _ in table}
    if len(rows) != len(table) or not sets <= set(SETS) or set(table) != {(name, attribute) for name in sets for attribute in OFFICIAL_COLUMNS}:
        raise InputError(f"{path}: does not hold one row per attribute of the sets {', '.join(SETS)}")
    return table | {(name, AVERAGE): _average([table[name, attribute] for attribute in OFFICIAL_COLUMNS]) for name in sorted(sets)}


def _average(values: Sequence[Values]) -> Values:
    """Unweighted mean of each score over the attributes that have it; there is no `n` of all attributes together."""
    averages: Values = {"n": None, "n_images": values[0]["n_images"]}
    for name in (*BASELINES, *SCORES):
        known = [score for value in values if (score := value[name]) is not None]
        averages[name] = float(np.mean(known)) if known else None
    return averages


def _unlearned(table: Table) -> dict[tuple[str, str], list[float | None]]:
    """What depends on images and labels alone."""
    return {key: [values[name] for name in (*COUNTS, *BASELINES)] for key, values in table.items()}


def _label_cells(values: Values) -> Cells:
    counts = {name: "" if (value := values[name]) is None else str(int(value)) for name in COUNTS}
    return counts | {name: _percent(values[name]) for name in BASELINES}


def _score_cells(seeds: Sequence[Values], stage: str) -> Cells:
    cells: Cells = {}
    for score in SCORES:
        cells |= mean_cells(f"{score}_{stage}", [value for seed in seeds if (value := seed[score]) is not None])
    return cells


def _percent(value: float | None) -> str:
    return "" if value is None else as_percent(value)
