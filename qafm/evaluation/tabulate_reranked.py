"""Stage 7: reranked.csv, rows of Table 4 and beside it before and after k-reciprocal re-ranking."""

from collections.abc import Sequence
from pathlib import Path

from qafm.config.ablation import AblationConfig
from qafm.errors import InputError
from qafm.evaluation.ablation_rows import Row, difference_cells, metric_names, read_artifacts, result_rows, write_table
from qafm.tables.spread import with_spread
from qafm.tables.table4 import Run

IDENTITY_COLUMNS = ("experiment", "dataset", "features", "model", "init", "gallery")
GAIN_COLUMNS = ("mAP_gain", "mAP_gain_low", "mAP_gain_high")


def tabulate_reranked(before: Sequence[Row], after: Sequence[Row], run: Run, config: AblationConfig, out: Path) -> None:
    """Write reranked.csv: per row and gallery the lowest of the configured ranks, mAP and mINP before and after, and the gain in mAP with its interval.

    Args:
        before: (seed, experiment, artifact of `evaluate_alpha`), experiments in the table's order.
        after: (seed, experiment, artifact of `rerank_gallery`) of the same seeds and experiments.
        run: what the table belongs to.
        config: number of draws and seed of the bootstrap over identities.
        out: the table.

    Raises:
        InputError: an artifact is missing, broken, or of another experiment; both sides differ in experiments, seeds, galleries or queries.
    """
    if [row[:2] for row in before] != [row[:2] for row in after]:
        raise InputError("table: the rows before and after re-ranking are of different experiments or seeds")
    plain, reranked = read_artifacts(before), read_artifacts(after)
    first, *others = metric_names([*plain, *reranked])
    metrics = [first, *(name for name in others if name in ("mAP", "mINP"))]
    names = {name: f"{metric}_reranked{name.removeprefix(metric)}" for metric in metrics for name in with_spread([metric], len(plain[0].contents))}
    of = {row.experiment: row for row in reranked}
    rows = result_rows(plain, run, metrics, lambda row, gallery: difference_cells("mAP_gain", of[row.experiment], row, gallery, config))
    again = result_rows(reranked, run, metrics, lambda row, _: {"note": row.note})
    if [(row["experiment"], row["gallery"]) for row in rows] != [(row["experiment"], row["gallery"]) for row in again]:
        raise InputError("table: the rows before and after re-ranking are of different galleries")
    table = [row | {names[name]: found[name] for name in names} | {"note": found["note"]} for row, found in zip(rows, again, strict=True)]
    write_table(out, [*IDENTITY_COLUMNS, *names, *names.values(), *GAIN_COLUMNS, "n_queries", "n_seeds", "note"], table)
