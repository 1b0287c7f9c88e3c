"""Stage 7, second half: table4.csv, the paper's Table 4 measured here."""

from collections.abc import Sequence
from pathlib import Path

from qafm.evaluation.ablation_rows import Artifacts, Cells, Row, as_percent, metric_names, read_artifacts, result_rows, write_table
from qafm.tables.table4 import PUBLISHED, PUBLISHED_COLUMNS, Run, result_columns


def tabulate_ablation(rows: Sequence[Row], run: Run, out: Path) -> None:
    """Write table4.csv: one row per experiment and gallery, percents as means over seeds with their sample standard deviation beside.

    `paper_alpha` is 1 - the mean visual weight over queries; `visual_weight_sd` is its spread over queries (the other `_sd` are spreads over seeds).

    Args:
        rows: (seed, experiment, artifact of `evaluate_alpha`), experiments in the table's order.
        run: what the table belongs to; the published numbers stand beside the measured ones only where it is Market-1501.
        out: the table.

    Raises:
        InputError: an artifact is missing, broken, or of another experiment.
    """
    artifacts = read_artifacts(rows)
    metrics = metric_names(artifacts)
    columns = result_columns(metrics, len(artifacts[0].contents)) + list(PUBLISHED_COLUMNS if run.market1501 else ())
    write_table(out, columns, result_rows(artifacts, run, metrics, _published))


def _published(row: Artifacts, _gallery: str) -> Cells:
    numbers = PUBLISHED.get(row.experiment)
    return {} if numbers is None else dict(zip(PUBLISHED_COLUMNS, map(as_percent, numbers), strict=True))
