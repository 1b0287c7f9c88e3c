"""Variants side by side, against numbers computed here."""

import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from scipy.stats import pearsonr, spearmanr

from qafm.config.ablation import AblationConfig
from qafm.errors import InputError
from qafm.evaluation.bootstrap import identity_interval
from qafm.evaluation.tabulate_variants import Variant, tabulate_variants
from qafm.tables.parquet import write_parquet

Q = np.array([10.0, 11.0, 12.0, 13.5, np.nan])
CONFIG = AblationConfig(bootstrap_samples=50, seed=3)
W = np.array([0.7, 0.4, 0.5, 0.2, 0.9])


def embeddings(path: Path, w: np.ndarray) -> Path:
    rows = {"split": ["query"] * 5 + ["gallery"], "q": pa.array([*Q, 99.0], from_pandas=True), "visual_weight": [*w, 0.0]}
    write_parquet(path, pa.table(rows))
    return path


NAMES, PID = ["a", "b", "c", "d"], [1, 1, 2, 3]


def artifact(folder: Path, experiment: str, seed: int, mean_ap: float | None, ap: tuple[float, ...] = (), names: list[str] = NAMES) -> tuple[int, str, Path]:
    queries = {"image_id": names, "pid": PID, "ap": ap}
    gallery = {"metrics": {"mAP": mean_ap, "rank1": 50.0 + seed}, "n_queries": 4, "visual_weight": None, "queries": queries}
    content = {"experiment": experiment, "note": "", "galleries": {} if mean_ap is None else {"standard": gallery}}
    path = folder / f"{experiment}-{seed}.json"
    path.write_text(json.dumps(content))
    return seed, experiment, path


def variant(folder: Path, weights: tuple[np.ndarray, ...] = (W,), sets: dict | None = None) -> Variant:
    folder.mkdir(exist_ok=True)
    query = {"mean": 11.625, "sd": 1.25, "sd_within_identity": 1.0, "sd_between_identities": 0.75}
    (folder / "quality.json").write_text(json.dumps({"sets": {"query": query} if sets is None else sets}))
    seeds = range(1, len(weights) + 1)
    files = [embeddings(folder / f"{seed}.parquet", w) for seed, w in zip(seeds, weights, strict=True)]
    rows = [
        artifact(folder, name, seed, 30.0 + 2 * seed, (0.32, 0.32, 0.32, 0.32))
        for seed in seeds
        for name in ("qafm", "apn_descriptor", "fixed_alpha_0.5", "scope_pair")
    ]
    rows += [artifact(folder, "best_fixed", seed, None) for seed in seeds]  # not measured
    return Variant("03", "a step per group", ("d", "f", "m"), folder / "quality.json", files, rows)


def table(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as stream:
        return list(csv.DictReader(stream))


def test_q_weight_and_map_of_one_seed(tmp_path: Path) -> None:
    tabulate_variants([variant(tmp_path / "a")], CONFIG, tmp_path / "t.csv")
    (row,) = table(tmp_path / "t.csv")
    assert [row[name] for name in ("variant", "dataset", "features", "model", "says")] == ["03", "d", "f", "m", "a step per group"]
    assert [row[f"q_{name}"] for name in ("mean", "sd", "sd_within_identity", "sd_between_identities")] == ["11.625", "1.25", "1", "0.75"]
    assert float(row["visual_weight"]) == pytest.approx(W.mean(), abs=1e-4) and float(row["visual_weight_sd"]) == pytest.approx(W.std(), abs=1e-4)
    assert float(row["r_q_weight"]) == pytest.approx(pearsonr(Q[:4], W[:4])[0], abs=1e-4)  # the image without Q is left out
    assert float(row["rho_q_weight"]) == pytest.approx(spearmanr(Q[:4], W[:4])[0], abs=1e-4)
    assert (row["mAP_qafm"], row["rank1"], row["mAP_apn_descriptor"], row["mAP_fixed_0.5"]) == ("32.00", "51.00", "32.00", "32.00")
    assert (row["mAP_qafm_sd"], row["gain"], row["gain_low"], row["gain_n_seeds"]) == ("", "", "", "")
    assert (row["mAP_best_fixed"], row["mAP_apan_descriptor"], row["n_queries"], row["n_seeds"]) == ("", "", "4", "1")


def test_seeds_are_averaged_and_a_constant_weight_has_no_correlation(tmp_path: Path) -> None:
    constant = np.full(5, 0.5)
    tabulate_variants([variant(tmp_path / "a", (W, constant)), variant(tmp_path / "b", (constant,))], CONFIG, tmp_path / "t.csv")
    first, second = table(tmp_path / "t.csv")
    assert float(first["visual_weight_sd"]) == pytest.approx(W.std() / 2, abs=1e-4) and first["r_q_weight"] == ""
    assert (first["mAP_qafm"], first["mAP_qafm_sd"], first["rank1"], first["n_seeds"]) == ("33.00", "1.41", "51.50", "2")
    assert (second["visual_weight"], second["visual_weight_sd"], second["rho_q_weight"]) == ("0.5000", "0.0000", "")


def test_a_missing_statistic_names_its_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"quality\.json: holds no statistics of the queries' Q"):
        tabulate_variants([variant(tmp_path / "a", sets={})], CONFIG, tmp_path / "t.csv")
    assert not (tmp_path / "t.csv").exists()


def with_qafm(folder: Path, ap_of_seed: dict[int, tuple[float, ...]], names: list[str] = NAMES) -> Variant:
    base = variant(folder)
    rows = [artifact(folder, "qafm", seed, 100 * float(np.mean(ap)), ap, names) for seed, ap in ap_of_seed.items()]
    return replace(base, embeddings=list(base.embeddings) * len(rows), rows=rows)


def test_the_gain_is_paired_by_seed_and_by_query(tmp_path: Path) -> None:
    base = {1: (0.1, 0.2, 0.3, 0.4), 2: (0.2, 0.2, 0.4, 0.4), 3: (0.9, 0.9, 0.9, 0.9)}
    other = {2: (0.3, 0.2, 0.5, 0.8), 1: (0.1, 0.4, 0.5, 0.4), 4: (0.0, 0.0, 0.0, 0.0)}
    alone = {7: (0.5, 0.5, 0.5, 0.5)}
    variants = [with_qafm(tmp_path / name, ap) for name, ap in (("a", base), ("b", other), ("c", alone))]
    tabulate_variants(variants, CONFIG, tmp_path / "t.csv")
    first, second, third = table(tmp_path / "t.csv")
    assert first["gain"] == third["gain"] == third["gain_n_seeds"] == ""
    gains = np.array([[0.0, 0.2, 0.2, 0.0], [0.1, 0.0, 0.1, 0.4]])  # of the seeds 1 and 2, which both have
    assert (second["gain"], second["gain_sd"], second["gain_n_seeds"]) == ("12.50", f"{100 * np.std(gains.mean(axis=1), ddof=1):.2f}", "2")
    low, high = identity_interval(100 * gains.mean(axis=0), np.array(PID), samples=50, seed=3)
    assert (second["gain_low"], second["gain_high"]) == (f"{low:.2f}", f"{high:.2f}") and low < 12.5 < high


def test_gains_on_other_queries_are_refused(tmp_path: Path) -> None:
    ap = {1: (0.1, 0.2, 0.3, 0.4)}
    variants = [with_qafm(tmp_path / "a", ap), with_qafm(tmp_path / "b", ap, ["a", "b", "c", "e"])]
    with pytest.raises(InputError, match="table: gain of qafm, gallery standard: the two rows were measured on different queries"):
        tabulate_variants(variants, CONFIG, tmp_path / "t.csv")
