"""Companion c3: partial.csv, people of whom query or gallery show only a part."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from qafm.companions.bpbreid.evaluate_parts import experiment_name
from qafm.companions.bpbreid.part_distance import VisibilityMode
from qafm.companions.bpbreid.views import PROTOCOLS
from qafm.evaluation.ablation_rows import Row, metric_names, read_artifacts, result_rows, write_table
from qafm.tables.spread import with_spread
from qafm.tables.table4 import Run


@dataclass(frozen=True)
class SystemFiles:
    """What one system left.

    Args:
        system: its name in the table.
        compared: what is compared of two images, for example "foreground, parts".
        visibilities: the ways in which visibility counts; ("none",) for a system that has one descriptor.
        rows: (seed, experiment, artifact), experiments as `experiment_name` calls them.
    """

    system: str
    compared: str
    visibilities: Sequence[VisibilityMode]
    rows: Sequence[Row]


def tabulate_partial(systems: Sequence[SystemFiles], run: Run, out: Path) -> None:
    """Write one row per protocol, gallery, system and way of counting visibility: percents as means over seeds.

    Args:
        systems: in the order of the table.
        run: what the table belongs to.
        out: the CSV.

    Raises:
        InputError: an artifact is missing or broken.
    """
    artifacts = {files.system: {found.experiment: found for found in read_artifacts(files.rows)} for files in systems}
    everything = [row for found in artifacts.values() for row in found.values()]
    metrics = metric_names(everything)
    rows = []
    for query, gallery in PROTOCOLS:
        for files in systems:
            for visibility in files.visibilities:
                cells = {"query": query, "searched": gallery, "system": files.system, "compared": files.compared, "visibility": visibility}
                row = artifacts[files.system][experiment_name(query, gallery, visibility)]
                rows += result_rows([row], run, metrics, lambda _row, _gallery, cells=cells: cells)
    measured = with_spread(metrics, max(len(row.contents) for row in everything))
    write_table(out, ["query", "searched", "system", "compared", "visibility", "dataset", "gallery", *measured, "n_queries", "n_seeds"], rows)
