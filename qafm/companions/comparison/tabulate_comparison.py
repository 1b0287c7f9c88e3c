"""comparison.csv: QAFM, its branches, plain networks and the companions on one protocol, each in its own recipe and in the common one."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from qafm.companions.comparison.compared_rows import ComparedFiles, Counts, about, by_recipe, read_compared, read_counts
from qafm.config.ablation import AblationConfig
from qafm.config.compared import ComparedSystem
from qafm.errors import InputError
from qafm.evaluation.ablation_rows import Artifacts, Cells, beside_reference, interval_cells, metric_names, per_query, result_rows, write_table
from qafm.tables.spread import with_spread
from qafm.tables.table4 import STANDARD, Run

REFERENCE = "qafm"
WHICH = ("system", "recipe", "dataset", "features", "model", "gallery")
ABOUT = ("init", "backbone", "height", "width", "epochs", "images_seen", "mflops", "parameters", "descriptor_length")
DIFFERENCE = ("mAP_minus_qafm", "mAP_minus_qafm_low", "mAP_minus_qafm_high")


def tabulate_comparison(
    files: Sequence[ComparedFiles], counts: Path, absent: Sequence[tuple[str, str, str]], run: Run, config: AblationConfig, out: Path
) -> None:
    """Write a row per recipe and system: percents as means over seeds, with 95 percent intervals over identities, on the standard gallery.

    Args:
        files: the systems, in the order of the table; that of key "qafm" is what the others are compared with, query by query.
        counts: of `describe_compared`.
        absent: (system, recipe, why it is left out); each gets a row that says so.
        run: what the table belongs to.
        config: number of draws and seed of the bootstrap.
        out: the table.

    Raises:
        InputError: an artifact is missing, broken, or of other queries than QAFM's.
    """
    artifacts = read_compared(files)
    systems = [each.system for each in files]
    described = read_counts(counts, systems)
    metrics = [name for name in metric_names(list(artifacts.values())) if name.startswith("rank") or name == "mAP"]
    reference = artifacts.get(REFERENCE)
    rows: list[Cells] = []
    for recipe, system, note in by_recipe(systems):
        row = artifacts[system.key]
        cells = about(system, recipe) | described_cells(system, described[system.key]) | {"note": "; ".join(filter(None, (note, row.note)))}
        cells |= _intervals(row, reference, metrics, config)
        rows += [found for found in result_rows([row], run, metrics, lambda _row, _gallery, cells=cells: cells) if found["gallery"] == STANDARD]
    rows += [{"system": name, "recipe": recipe, "dataset": run.dataset, "note": reason} for name, recipe, reason in absent]
    n_seeds = max(len(row.contents) for row in artifacts.values())
    measured = [column for name in metrics for column in (*with_spread([name], n_seeds), f"{name}_low", f"{name}_high")]
    write_table(out, [*WHICH, *ABOUT, *measured, *DIFFERENCE, "n_queries", "n_seeds", "seeds", "note"], rows)


def described_cells(system: ComparedSystem, counts: Counts) -> Cells:
    """What a system starts from and costs."""
    height, width = system.start.size
    return {
        "init": system.start.init,
        "backbone": system.start.backbone,
        "height": str(height),
        "width": str(width),
        "epochs": counts.epochs,
        "images_seen": str(round(counts.images_seen)),
        "mflops": f"{counts.flops / 1e6:.2f}",
        "parameters": str(counts.parameters),
        "descriptor_length": str(counts.descriptor_length),
    }


def _intervals(row: Artifacts, reference: Artifacts | None, metrics: Sequence[str], config: AblationConfig) -> Cells:
    """Intervals of all metrics, and the difference to QAFM, paired by query."""
    own = per_query(row, STANDARD)
    if own is None:
        return {}
    cells = beside_reference(row, reference, STANDARD, config)
    for metric in metrics:
        if metric != "mAP":
            cells |= interval_cells(metric, hits(row, int(metric.removeprefix("rank"))), own[1], config)
    return cells


def hits(row: Artifacts, rank: int) -> np.ndarray:
    """Share of the seeds with a right image among the first `rank` ones, of each valid query, float64 [Q].

    Raises:
        InputError: the artifacts hold no first ranks.
    """
    found = [content["queries"]["first_rank"] for content in row.of_gallery(STANDARD)]
    if any(ranks is None for ranks in found):
        raise InputError(f"comparison: the artifacts of {row.experiment} hold no first ranks")
    return np.mean([np.array(ranks) <= rank for ranks in found], axis=0)
