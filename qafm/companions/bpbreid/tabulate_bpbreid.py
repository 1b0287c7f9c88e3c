"""Companion c3: bpbreid.csv, the variants of BPBReID side by side."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from qafm.companions.bpbreid.evaluate_parts import experiment_name
from qafm.companions.bpbreid.part_iou import PartIou, part_iou
from qafm.errors import reading
from qafm.evaluation.ablation_rows import Artifacts, Cells, Row, as_percent, metric_names, read_artifacts, result_rows, write_table
from qafm.reporting.report_provenance import read_costs
from qafm.runtime.files import read_json
from qafm.tables.csv_rows import read_rows
from qafm.tables.spread import with_spread
from qafm.tables.table4 import Run

COMPARED = {  # artifact: by which visibility its parts are compared
    experiment_name("full", "full", "binary"): "binary",
    experiment_name("full", "full", "continuous"): "continuous",
    experiment_name("full", "full", "none"): "none",
}
ABOUT = ("part_mIoU", "part_mIoU_matched", "parameters", "epochs", "wall_time_s")


@dataclass(frozen=True)
class VariantFiles:
    """What one variant left.

    Args:
        variant: its name.
        rows: (seed, experiment, artifact): retrieval by parts, experiments as `experiment_name` calls them, and by the foreground's descriptor alone.
        summaries: of `embed_bpbreid`, one per seed.
        histories: learning curves, one per seed.
        records: Snakemake's records of time, one per seed; one that is missing counts as not recorded.
        note: what the reader must know of the variant.
    """

    variant: str
    rows: Sequence[Row]
    summaries: Sequence[Path]
    histories: Sequence[Path]
    records: Sequence[Path]
    note: str


def tabulate_bpbreid(variants: Sequence[VariantFiles], absent: Mapping[str, str], run: Run, parts: str, out: Path) -> None:
    """Write one row per variant, gallery and way of comparing: percents as means over seeds.

    `part_mIoU` compares predicted parts with the part masks, map by map; `part_mIoU_matched` after the best one-to-one assignment of maps to parts.
    `parameters` are all of the network, classifiers included; `wall_time_s` is the mean time of a training job, the only column that differs from run to run.

    Args:
        variants: in the order of the table.
        absent: variant -> why the data set has none; each gets a row that says so.
        run: what the table belongs to.
        parts: what a comparison by parts compares, for example "foreground, parts".
        out: the CSV.

    Raises:
        InputError: an artifact is missing or broken.
    """
    artifacts = {files.variant: read_artifacts(files.rows) for files in variants}
    metrics = metric_names([row for found in artifacts.values() for row in found]) if artifacts else []
    rows: list[Cells] = []
    for files in variants:
        about = _about(files) | {"variant": files.variant, "note": files.note}
        rows += result_rows(artifacts[files.variant], run, metrics, lambda row, _gallery, about=about: about | _compared(row, parts))
    rows += [{"variant": variant, "dataset": run.dataset, "note": reason} for variant, reason in absent.items()]
    measured = with_spread(metrics, max((len(found[0].contents) for found in artifacts.values()), default=0))
    write_table(out, ["variant", "dataset", "init", "compared", "visibility", "gallery", *measured, *ABOUT, "n_queries", "n_seeds", "note"], rows)


def _compared(row: Artifacts, parts: str) -> Cells:
    by_parts = row.experiment in COMPARED
    return {"compared": parts if by_parts else "foreground", "visibility": COMPARED.get(row.experiment, "none")}


def _about(files: VariantFiles) -> Cells:
    """What does not depend on the way of comparing."""
    summaries = [_summary(path) for path in files.summaries]
    ious = [part_iou(np.array(summary["confusion"])) for summary in summaries if summary["confusion"] is not None]
    epochs = {len(read_rows(path, ["epoch"])) for path in files.histories}
    seconds = [cost.seconds for path in files.records for cost in read_costs([("train_bpbreid", path)]) if cost.seconds is not None]
    return {
        "part_mIoU": _mean(ious, "named"),
        "part_mIoU_matched": _mean(ious, "matched"),
        "parameters": ", ".join(str(count) for count in sorted({summary["parameters"] for summary in summaries})),
        "epochs": ", ".join(map(str, sorted(epochs))),
        "wall_time_s": f"{np.mean(seconds):.0f}" if seconds else "",
    }


def _mean(ious: Sequence[PartIou], name: str) -> str:
    values = [value for iou in ious if (value := getattr(iou, name)) is not None]
    return as_percent(float(np.mean(values))) if values else ""


def _summary(path: Path) -> dict:
    with reading(path, "is no summary of embed_bpbreid"):
        content = read_json(path)
        return {name: content[name] for name in ("parameters", "confusion")}
