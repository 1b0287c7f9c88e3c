"""Variants of a run side by side: what each does to Q, to the weight, to the branches and their fusion, and what it gains on the first."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from qafm.config.ablation import AblationConfig
from qafm.errors import reading
from qafm.evaluation.ablation_rows import Artifacts, Cells, Row, as_weight, difference_cells, mean_cells, read_artifacts, write_table
from qafm.evaluation.bootstrap import spearman
from qafm.runtime.files import read_json
from qafm.tables.parquet import read_parquet
from qafm.tables.table4 import STANDARD

# Column of the table: row of stage 7 whose mAP it holds.
EXPERIMENTS = {
    "apn_descriptor": "apn_descriptor",
    "apan_descriptor": "apan_descriptor",
    "fixed_0.5": "fixed_alpha_0.5",
    "best_fixed": "best_fixed",
    "shuffled": "shuffled",
    "qafm": "qafm",
    "oracle_query": "oracle_query",
}
Q_COLUMNS = ("q_mean", "q_sd", "q_sd_within_identity", "q_sd_between_identities")
W_COLUMNS = ("visual_weight", "visual_weight_sd", "r_q_weight", "rho_q_weight")
GAIN_COLUMNS = ("gain", "gain_sd", "gain_low", "gain_high", "gain_n_seeds")
M_COLUMNS = ("rank1", *(f"mAP_{name}" for name in EXPERIMENTS), "mAP_qafm_sd")
COLUMNS = ("variant", "dataset", "features", "model", *Q_COLUMNS, *W_COLUMNS, *M_COLUMNS, *GAIN_COLUMNS, "n_queries", "n_seeds", "says")


@dataclass(frozen=True)
class Variant:
    """One variant and what it left.

    Args:
        name: of the variant.
        says: what it changes, a sentence.
        names: of data set, features and model.
        quality: quality.json.
        embeddings: embeddings.parquet of each seed.
        rows: (seed, experiment, artifact of `evaluate_alpha`); those of EXPERIMENTS are looked at.
    """

    name: str
    says: str
    names: tuple[str, str, str]
    quality: Path
    embeddings: Sequence[Path]
    rows: Sequence[Row]


def tabulate_variants(variants: Sequence[Variant], config: AblationConfig, out: Path) -> None:
    """Write one row per variant: Q and w over the queries, mAP in percent on the standard gallery, means over seeds.

    q_sd is split into its part within and between identities (within^2 + between^2 = sd^2); r and rho are Pearson's and Spearman's correlation of Q
    with the visual weight, empty where one of them is constant. `gain` is QAFM's mAP minus that of the first variant, over the seeds that both have
    (`gain_n_seeds`): its sample standard deviation over them, and its 95 percent interval over identities, paired by query.

    Args:
        variants: in the order of the table.
        config: number of draws and seed of the bootstrap.
        out: the CSV.

    Raises:
        InputError: an artifact is missing or broken, or variants were measured on different queries.
    """
    write_table(out, COLUMNS, [_row(variant) | (_gain_cells(variant, variants[0], config) if variant is not variants[0] else {}) for variant in variants])


def _row(variant: Variant) -> Cells:
    wanted = [row for row in variant.rows if row[1] in EXPERIMENTS.values()]
    found = {artifacts.experiment: artifacts for artifacts in read_artifacts(wanted)}
    cells = dict(zip(("dataset", "features", "model"), variant.names, strict=True)) | {"variant": variant.name, "says": variant.says}
    cells |= _q_cells(variant.quality) | _weight_cells(variant.embeddings)
    for column, experiment in EXPERIMENTS.items():
        cells |= mean_cells(f"mAP_{column}", _metric(found.get(experiment), "mAP"))
    measured = found["qafm"].of_gallery(STANDARD) if "qafm" in found else []
    if measured:
        cells |= mean_cells("rank1", _metric(found["qafm"], "rank1")) | {"n_queries": str(measured[0]["n_queries"]), "n_seeds": str(len(measured))}
    return cells


def _metric(artifacts: Artifacts | None, name: str) -> list[float]:
    return [content["metrics"][name] for content in artifacts.of_gallery(STANDARD)] if artifacts else []


def _gain_cells(variant: Variant, first: Variant, config: AblationConfig) -> Cells:
    shared = {seed for seed, experiment, _ in variant.rows if experiment == "qafm"} & {seed for seed, experiment, _ in first.rows if experiment == "qafm"}
    if not shared:
        return {}
    own, other = (read_artifacts([row for row in of.rows if row[1] == "qafm" and row[0] in shared])[0] for of in (variant, first))
    of_seeds = np.subtract(_metric(own, "mAP"), _metric(other, "mAP"))
    return mean_cells("gain", list(of_seeds)) | difference_cells("gain", own, other, STANDARD, config) | {"gain_n_seeds": str(len(of_seeds))}


def _q_cells(quality: Path) -> Cells:
    with reading(quality, "holds no statistics of the queries' Q"):
        query = read_json(quality)["sets"]["query"]
        values = [query[column.removeprefix("q_")] for column in Q_COLUMNS]
    return {column: "" if value is None else f"{value:.5g}" for column, value in zip(Q_COLUMNS, values, strict=True)}


def _weight_cells(embeddings: Sequence[Path]) -> Cells:
    measured = np.array([_weight_statistics(path) for path in embeddings])  # [seeds, 4]
    means = [float(np.mean(column)) if np.isfinite(column).all() else None for column in measured.T]
    return {column: "" if value is None else as_weight(value) for column, value in zip(W_COLUMNS, means, strict=True)}


def _weight_statistics(path: Path) -> tuple[float, float, float, float]:
    """Mean and sd of the queries' visual weight, its r and rho with Q; NaN where one is constant (spans less than 1e-9)."""
    table = read_parquet(path, columns=["split", "q", "visual_weight"])
    is_query = np.array(table["split"].to_pylist()) == "query"
    q, w = (table[name].to_numpy().astype(np.float64)[is_query] for name in ("q", "visual_weight"))
    both = np.isfinite(q)
    if both.sum() < 2 or np.ptp(q[both]) < 1e-9 or np.ptp(w[both]) < 1e-9:
        return float(w.mean()), float(w.std()), np.nan, np.nan
    r = np.corrcoef(q[both], w[both])[0, 1]
    rho = spearman(q[both], w[both])
    assert rho is not None  # neither is constant
    return float(w.mean()), float(w.std()), float(r), rho
