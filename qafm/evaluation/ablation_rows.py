"""From the artifacts of stage 7 to table rows: one per experiment and gallery, seeds averaged, numbers in fixed formats."""

import csv
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from qafm.config.ablation import AblationConfig
from qafm.errors import InputError, reading
from qafm.evaluation.bootstrap import identity_interval
from qafm.runtime.files import read_json, whole_file
from qafm.tables.table4 import GALLERIES, STANDARD, Run, label

Row = tuple[int, str, Path]
Cells = dict[str, str]


@dataclass(frozen=True)
class Artifacts:
    """What one experiment left, the seeds in ascending order.

    Args:
        experiment: its name.
        contents: the content of each seed's artifact.
    """

    experiment: str
    contents: list[dict[str, Any]]

    def of_gallery(self, gallery: str) -> list[dict[str, Any]]:
        """What the seeds found on `gallery`: a seed that was not measured there is left out."""
        return [content["galleries"][gallery] for content in self.contents if gallery in content["galleries"]]

    @property
    def note(self) -> str:
        """The notes of all seeds, each once."""
        return "; ".join(dict.fromkeys(content["note"] for content in self.contents if content["note"]))


def read_artifacts(rows: Sequence[Row]) -> list[Artifacts]:
    """Read the artifacts of (seed, experiment, path), experiments in the order of their first row.

    Raises:
        InputError: no row, a file that is no such artifact or of another experiment, or experiments with different seeds.
    """
    if not rows:
        raise InputError("table: no row to tabulate")
    seeds_of: dict[str, dict[int, Path]] = {}
    for seed, experiment, path in rows:
        if path != seeds_of.setdefault(experiment, {}).setdefault(seed, path):
            raise InputError(f"{path}: a second artifact of {experiment}, seed {seed}")
    if len({tuple(sorted(seeds)) for seeds in seeds_of.values()}) != 1:
        raise InputError(f"table: experiments have different seeds: { {name: sorted(seeds) for name, seeds in seeds_of.items()} }")
    return [Artifacts(experiment, [_read(path, experiment) for _, path in sorted(seeds.items())]) for experiment, seeds in seeds_of.items()]


def _read(path: Path, experiment: str) -> dict[str, Any]:
    with reading(path, "is no artifact of a row"):
        content = read_json(path)
        found = content["experiment"], content["note"], content["galleries"]
    if found[0] != experiment:
        raise InputError(f"{path}: is of experiment {found[0]}, expected {experiment}")
    return content


def metric_names(artifacts: Sequence[Artifacts]) -> list[str]:
    """The metrics of all rows in the order of the table: ranks ascending, then mAP, mAP_trapezoid, mINP.

    Raises:
        InputError: rows were measured at different ranks.
    """
    found = {frozenset(content["metrics"]) for row in artifacts for seed in row.contents for content in seed["galleries"].values()}
    if len(found) != 1:
        raise InputError(f"table: rows have different metrics: {sorted(sorted(names) for names in found)}")
    names = set(found.pop())
    ranks = sorted((name for name in names if name.startswith("rank")), key=lambda name: int(name.removeprefix("rank")))
    return [*ranks, *(name for name in ("mAP", "mAP_trapezoid", "mINP") if name in names)]


def result_rows(artifacts: Sequence[Artifacts], run: Run, metrics: Sequence[str], more: Callable[[Artifacts, str], Cells]) -> list[Cells]:
    """The rows of the table, gallery by gallery in the order of `artifacts`; `more` gives a row's further cells.

    A row that was measured in no gallery appears once, for the standard one, with empty results.
    """
    rows = []
    for gallery in GALLERIES:
        for row in artifacts:
            found = row.of_gallery(gallery)
            unmeasured = gallery == STANDARD and not any(content["galleries"] for content in row.contents)
            if found or unmeasured:
                identity = {"experiment": label(row.experiment), "dataset": run.dataset, "features": run.features, "model": run.model, "init": run.init}
                rows.append(
                    {**identity, "gallery": gallery, **(_result_cells(found, metrics) if found else {}), "n_seeds": str(len(found)), **more(row, gallery)}
                )
    return rows


def _result_cells(found: Sequence[dict[str, Any]], metrics: Sequence[str]) -> Cells:
    cells: Cells = {"n_queries": str(found[0]["n_queries"])}
    if found[0]["visual_weight"] is not None:
        weight = float(np.mean([content["visual_weight"] for content in found]))
        spread = float(np.mean([content["visual_weight_sd"] for content in found]))
        cells |= {"paper_alpha": as_weight(1 - weight), "visual_weight": as_weight(weight), "visual_weight_sd": as_weight(spread)}
    for name in metrics:
        cells |= mean_cells(name, [content["metrics"][name] for content in found])
    return cells


def per_query(row: Artifacts, gallery: str) -> tuple[list[str], np.ndarray, np.ndarray] | None:
    """Names, identities [Q] and AP [Q] (mean over seeds) of the valid queries; None if the row was not measured on `gallery`.

    Raises:
        InputError: the seeds were measured on different queries.
    """
    found = [content["queries"] for content in row.of_gallery(gallery)]
    if not found:
        return None
    names = found[0]["image_id"]
    if any(queries["image_id"] != names for queries in found):
        raise InputError(f"table: the seeds of {row.experiment} were measured on different queries of gallery {gallery}")
    return names, np.array(found[0]["pid"]), np.mean([queries["ap"] for queries in found], axis=0)


def interval_cells(name: str, values: np.ndarray, pid: np.ndarray, config: AblationConfig) -> Cells:
    """`{name}_low` and `{name}_high`: the 95 percent interval over identities, in percent, of the mean of `values` [Q], shares of 1."""
    low, high = identity_interval(100 * values, pid, samples=config.bootstrap_samples, seed=config.seed)
    return {f"{name}_low": as_percent(low), f"{name}_high": as_percent(high)}


def difference_cells(name: str, row: Artifacts, reference: Artifacts, gallery: str, config: AblationConfig) -> Cells:
    """`{name}`, `{name}_low` and `{name}_high`: mAP of `row` minus that of `reference`, with its 95 percent interval over identities, paired by query.

    Empty where one of them was not measured on `gallery`.

    Raises:
        InputError: they were measured on different queries.
    """
    own, other = per_query(row, gallery), per_query(reference, gallery)
    if own is None or other is None:
        return {}
    if own[0] != other[0]:
        raise InputError(f"table: {name} of {row.experiment}, gallery {gallery}: the two rows were measured on different queries")
    difference = own[2] - other[2]
    return {name: as_percent(100 * float(difference.mean())), **interval_cells(name, difference, own[1], config)}


def beside_reference(row: Artifacts, reference: Artifacts | None, gallery: str, config: AblationConfig) -> Cells:
    """The 95 percent interval of mAP, and `mAP_minus_qafm` with its own where `reference`, QAFM, is another row; empty where `row` was not measured.

    Raises:
        InputError: both were measured on different queries.
    """
    own = per_query(row, gallery)
    if own is None:
        return {}
    cells = interval_cells("mAP", own[2], own[1], config)
    return cells if reference is None or reference is row else cells | difference_cells("mAP_minus_qafm", row, reference, gallery, config)


def mean_cells(name: str, values: Sequence[float]) -> Cells:
    """`{name}` and `{name}_sd`: the mean of one value per seed, in percent, and their sample standard deviation; empty where there is none to compute."""
    mean = as_percent(float(np.mean(values))) if values else ""
    return {name: mean, f"{name}_sd": as_percent(float(np.std(values, ddof=1))) if len(values) > 1 else ""}


def as_percent(value: float) -> str:
    """Two decimals, as the paper prints percents; never "-0.00"."""
    return f"{round(value, 2) + 0.0:.2f}"


def as_weight(value: float) -> str:
    """Four decimals; never "-0.0000"."""
    return f"{round(value, 4) + 0.0:.4f}"


def write_table(out: Path, columns: Sequence[str], rows: Sequence[Cells]) -> None:
    """Write the `columns` of `rows` as CSV, whole or not at all; a missing cell is empty."""
    with whole_file(out) as temporary, temporary.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, columns, restval="", extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
