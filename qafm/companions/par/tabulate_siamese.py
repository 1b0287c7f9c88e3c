"""siamese.csv: both arms of the report's Table 1, on its own protocol and on the common one, with and without its filters."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from qafm.companions.par.published import SIAMESE_MAP
from qafm.errors import InputError, reading
from qafm.evaluation.ablation_rows import Cells, as_percent, mean_cells, write_table
from qafm.runtime.files import read_json
from qafm.tables.learning_curve import images_seen, kept_epoch
from qafm.tables.spread import with_spread

Curves = Mapping[str, Sequence[Sequence[Path]]]

GALLERIES = ("validation", "standard", "no_distractors")
UNFILTERED = "none"
METRICS = ("mAP", "mAP_of_all", "recall_kept", "gallery_kept", "nothing_right")


@dataclass(frozen=True)
class SiameseRun:
    """What the table belongs to.

    Args:
        dataset: the {d} of the result paths.
        starts: arm -> what it started from.
        comparable: whether the published numbers may stand beside the measured ones: Market-1501, from ImageNet.
    """

    dataset: str
    starts: dict[str, str]
    comparable: bool


def tabulate_siamese(files: Sequence[tuple[int, str, Path]], curves: Curves, run: SiameseRun, out: Path) -> None:
    """Write siamese.csv: a row for each gallery, arm and filter, percent, means over seeds.

    `mAP` is over the list that the filter leaves, as in the report (a query that keeps no right image counts 0), `mAP_of_all` counts the right images that
    were lost as well, `mAP_full` is that of the whole list without a filter. `nothing_right`: queries that keep no right image. `epochs` and `kept_epoch`
    are those of the arm's trainings, in order, `images_seen` the sum of what all of them were shown.

    Args:
        files: (seed, arm, filters.json).
        curves: arm -> for each of its trainings, in order, those of its seeds.
        run: what the table belongs to.
        out: the table; with several seeds each metric has its sample standard deviation beside it.

    Raises:
        InputError: no file, a file that is none or of another arm, or arms with different seeds, or seeds with different filters or ranks.
    """
    arms = list(dict.fromkeys(arm for _, arm, _ in files))
    seeds = {seed for seed, _, _ in files}
    if not files or len(files) != len(arms) * len(seeds):
        raise InputError(f"table: {len(files)} files for arms {arms} and seeds {sorted(seeds)}, one of each is needed")
    contents: dict[str, list[dict[str, Any]]] = {arm: [] for arm in arms}
    for _, arm, path in sorted(files):
        contents[arm].append(_read(path, arm))
    lengths = {arm: _lengths(curves[arm]) for arm in arms}
    rows = [row | lengths[arm] for gallery in GALLERIES for arm in arms for row in _rows(gallery, arm, contents[arm], run)]
    own = with_spread(_metrics(rows), len(seeds))
    columns = ["arm", "init", "epochs", "kept_epoch", "images_seen", "dataset", "gallery", "filter", *own, "n_queries", "n_excluded", "n_seeds"]
    write_table(out, [*columns, *(["published_mAP"] if run.comparable else []), "note"], rows)


def _lengths(trainings: Sequence[Sequence[Path]]) -> Cells:
    """How long the trainings of an arm were, which epochs they kept and how many images they were shown, means over seeds."""
    counts = np.array([[images_seen(path) for path in seeds] for seeds in trainings])  # [trainings, seeds, 2]
    epochs, seen = counts.mean(axis=1).T
    kept = [np.mean([kept_epoch(path) for path in seeds]) for seeds in trainings]
    lengths = {name: " + ".join(f"{value:.3g}" for value in values) for name, values in (("epochs", epochs), ("kept_epoch", kept))}
    return lengths | {"images_seen": f"{seen.sum():.0f}"}


def _metrics(rows: Sequence[Cells]) -> list[str]:
    """mAP and its relatives, then the ranks that any row has."""
    ranks = {name for row in rows for name in row if name.startswith("rank") and not name.endswith("_sd")}
    return ["mAP", "mAP_full", *METRICS[1:], *sorted(ranks, key=lambda name: int(name.removeprefix("rank")))]


def _read(path: Path, arm: str) -> dict[str, Any]:
    with reading(path, "is no artifact of evaluate_siamese"):
        content = read_json(path)
        found, galleries = content["arm"], content["galleries"]
    if found != arm:
        raise InputError(f"{path}: is of arm {found}, expected {arm}")
    return galleries


def _rows(gallery: str, arm: str, seeds: Sequence[dict[str, Any]], run: SiameseRun) -> list[Cells]:
    found = [galleries[gallery] for galleries in seeds if gallery in galleries]
    if not found:
        return []
    first = found[0]
    cells: Cells = {"arm": arm, "init": run.starts[arm], "dataset": run.dataset, "gallery": gallery, "n_seeds": str(len(found))}
    cells |= {"n_queries": str(first["n_queries"]), "n_excluded": str(first["n_excluded"]), "note": first["note"]}
    if gallery == "validation":
        cells["published_mAP"] = as_percent(SIAMESE_MAP[arm])
    if not first["filters"]:
        return [cells | {"filter": UNFILTERED}]
    measured = [{each["filter"]: each["metrics"] for each in content["filters"]} for content in found]
    if any(list(seed) != list(measured[0]) or [*seed[UNFILTERED]] != [*measured[0][UNFILTERED]] for seed in measured):
        raise InputError(f"table: seeds of {arm} have different filters or ranks")
    rows = []
    for name in measured[0]:
        row = cells | {"filter": name} | mean_cells("mAP_full", [seed[UNFILTERED]["mAP"] for seed in measured])
        for metric in measured[0][name]:
            row |= mean_cells(metric, [seed[name][metric] for seed in measured])
        rows.append(row)
    return rows
