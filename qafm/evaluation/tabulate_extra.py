"""Stage 7: table4_extra.csv, the rows beside the paper's, with intervals over identities."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from qafm.config.ablation import AblationConfig
from qafm.evaluation.ablation_rows import (
    Artifacts,
    Cells,
    Row,
    as_percent,
    interval_cells,
    metric_names,
    per_query,
    read_artifacts,
    result_rows,
    write_table,
)
from qafm.runtime.errors import InputError
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
    write_table(out, columns, result_rows(artifacts, run, metrics, lambda row, gallery: _intervals(row, gallery, reference, config)))


def _intervals(row: Artifacts, gallery: str, reference: Artifacts | None, config: AblationConfig) -> Cells:
    cells = {"note": row.note}
    own = per_query(row, gallery)
    if own is None:
        return cells
    names, pid, ap = own
    cells |= interval_cells("mAP", ap, pid, config)
    other = None if reference is None or reference is row else per_query(reference, gallery)
    if other is not None:
        if other[0] != names:
            raise InputError(f"table: {row.experiment} and qafm were measured on different queries of gallery {gallery}")
        cells["mAP_minus_qafm"] = as_percent(100 * float(np.mean(ap - other[2])))
        cells |= interval_cells("mAP_minus_qafm", ap - other[2], pid, config)
    return cells
