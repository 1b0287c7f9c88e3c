"""slicenet.csv: the report's Table 5 measured here, and the same rows under stricter protocols."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from qafm.companions.slicenet.protocols import Metrics
from qafm.companions.slicenet.published import PUBLISHED, are_the_reports
from qafm.companions.slicenet.results import EpochMetrics, best_look, read_looks, read_protocols
from qafm.config.slicenet import FOREIGN, NETWORK_NAMES, SIGN, SlicenetConfig
from qafm.errors import InputError
from qafm.evaluation.ablation_rows import Cells, mean_cells, write_table
from qafm.reporting.report_provenance import read_costs

File = tuple[str, int, Path]  # row or system, seed, path
# Column -> protocol and metric; percent.
METRICS = {
    "rank1": ("top10", "rank1"),
    "rank5": ("top10", "rank5"),
    "mAP_top10": ("top10", "mAP"),
    "mAP_full": ("full", "mAP"),
    "rank1_no_copies": ("no_copies", "rank1"),
    "mAP_no_copies": ("no_copies", "mAP"),
    "rank1_market": ("market", "rank1"),
    "mAP_market": ("market", "mAP"),
}
COUNTS = {"n_queries": "top10", "n_queries_no_copies": "no_copies", "n_queries_market": "market"}
COLUMNS = (
    *("row", "dataset", "chosen", "network", "mirrored_copies", "epochs", "epoch", "n_seeds"),
    *(name for metric in METRICS for name in (metric, f"{metric}_sd")),
    *COUNTS,
    *("images_seen", "train_minutes", "paper_rank1", "paper_rank5", "paper_mAP_top10", "note"),
)
_BEST_NOTE = "chosen on the test images, as the report does"
_NOTES = {SIGN: "the sign of each value, as the notebooks compute descriptors", FOREIGN: "weights trained elsewhere"}


def tabulate_slicenet(
    images: Path, rows: Sequence[File], histories: Sequence[File], records: Sequence[File], config: SlicenetConfig, dataset: str, out: Path
) -> None:
    """Write slicenet.csv: every row at its last epoch, then every trained system at the epoch that is best on the test images.

    Args:
        images: images.parquet; the published numbers stand beside the measured ones only where its query and gallery are the report's.
        rows: (row, seed, artifact of `evaluate_slicenet`), in the order of the table.
        histories: (system, seed, history.csv) of what was trained.
        records: (system, seed, Snakemake's record of the training); one that is not there leaves `train_minutes` empty.
        config: what was trained.
        dataset: name of the data set.
        out: the table.

    Raises:
        InputError: a file is missing, damaged, or of another row.
    """
    if not rows:
        raise InputError("slicenet table: no row to tabulate")
    measured = {row: [read_protocols(path, row) for name, _, path in rows if name == row] for row in dict.fromkeys(row for row, _, _ in rows)}
    looks = {system: [read_looks(path) for name, _, path in histories if name == system] for system in dict.fromkeys(name for name, _, _ in histories)}
    minutes = {cost.stage: cost.seconds / cost.recorded / 60 for cost in read_costs([(name, path) for name, _, path in records]) if cost.seconds is not None}
    published = are_the_reports(images)
    cells = []
    for row, protocols in measured.items():
        last = [curve[-1] for curve in looks.get(row.removesuffix(SIGN), [])]
        cells.append({"chosen": "last epoch", **_of_row(row, config, minutes, published), **_counted(protocols), **_epochs(last), **_means(protocols)})
    for row, curves in looks.items():
        best = [best_look(curve) for curve in curves]
        found = [look.protocols for look in best]
        cells.append({"chosen": "best epoch", **_of_row(row, config, minutes, published), **_counted(measured[row]), **_epochs(best), **_means(found)})
        cells[-1]["note"] = _BEST_NOTE
    write_table(out, COLUMNS, [{"dataset": dataset, **row} for row in cells])


def _of_row(row: str, config: SlicenetConfig, minutes: dict[str, float], published: bool) -> Cells:
    """What is known of a row before anything is measured."""
    system = row.removesuffix(SIGN)
    cells = {"row": row, "network": NETWORK_NAMES[config.network_of(row).network], "note": next((_NOTES[end] for end in _NOTES if row.endswith(end)), "")}
    if system != FOREIGN:
        cells |= {"mirrored_copies": "yes" if config.system(system).flip else "no", "epochs": str(config.system(system).epochs)}
    if system in minutes:
        cells["train_minutes"] = f"{minutes[system]:.1f}"
    if published and row in PUBLISHED:
        numbers = PUBLISHED[row]
        cells |= {"paper_rank1": f"{numbers.rank1:.1f}", "paper_rank5": f"{numbers.rank5:.1f}", "paper_mAP_top10": f"{numbers.mAP:.1f}"}
    return cells


def _counted(protocols: Sequence[dict[str, Metrics | None]]) -> Cells:
    """How many queries count in each protocol; the same for all seeds."""
    counts = {column: (protocols[0][protocol] or {}).get("n_queries", 0) for column, protocol in COUNTS.items()}
    return {column: str(int(count)) for column, count in counts.items()}


def _epochs(looks: Sequence[EpochMetrics]) -> Cells:
    """At which epoch each seed stands, once where all agree, and how many images a seed has seen, on average."""
    if not looks:
        return {}
    epochs = [str(look.epoch) for look in looks]
    seen = np.mean([look.images_seen for look in looks])
    return {"epoch": epochs[0] if len(set(epochs)) == 1 else " ".join(epochs), "images_seen": str(round(float(seen)))}


def _means(protocols: Sequence[dict[str, Metrics | None]]) -> Cells:
    """Means over seeds, their sample standard deviation where there are several; empty where a protocol cannot be measured."""
    cells = {"n_seeds": str(len(protocols))}
    for column, (protocol, metric) in METRICS.items():
        values = [found[metric] for seed in protocols if (found := seed[protocol]) is not None]
        cells |= mean_cells(column, values)
    return cells
