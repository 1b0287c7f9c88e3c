"""Stage 7: table4_extra.csv, the rows beside the paper's, with intervals over identities."""

from collections.abc import Sequence
from pathlib import Path

from qafm.config.ablation import AblationConfig
from qafm.evaluation.ablation_rows import Row, beside_reference, metric_names, read_artifacts, result_rows, write_table
from qafm.tables.table4 import INTERVAL_COLUMNS, Run, result_columns


def tabulate_extra(rows: Sequence[Row], run: Run, config: AblationConfig, out: Path) -> None:
    """Write table4_extra.csv: the columns of table4.csv, the 95 percent interval of mAP over identities, and the difference to QAFM with its interval.

    Args:
        rows: (seed, experiment, artifact of `evaluate_alpha`), experiments in the table's order; `qafm` among them is what the others are compared with.
        run: what the table belongs to.
        config: number of draws and seed of the bootstrap.
        out: the table.

    Raises:
        InputError: an artifact is missing, broken, or of another experiment.
    """
    artifacts = read_artifacts(rows)
    metrics = metric_names(artifacts)
    reference = next((row for row in artifacts if row.experiment == "qafm"), None)
    columns = [*result_columns(metrics, len(artifacts[0].contents)), *INTERVAL_COLUMNS]
    write_table(out, columns, result_rows(artifacts, run, metrics, lambda row, gallery: {"note": row.note} | beside_reference(row, reference, gallery, config)))
