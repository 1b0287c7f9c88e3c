"""Oracle and split oracle: against loops over queries, weights and halves that rank by a full sort; chance; bad input."""

import csv
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from qafm.config.ablation import AblationConfig
from qafm.errors import InputError
from qafm.evaluation.evaluate_alpha import evaluate_alpha
from qafm.evaluation.fuse import unit_rows
from qafm.evaluation.load_branch import Source, load_branch
from qafm.evaluation.measure_oracle import METHODS, measure_oracle, split_halves
from qafm.evaluation.ranking import dot_similarity, evaluate_retrieval
from qafm.evaluation.tabulate_oracle import GAINS, LEADS, tabulate_oracle
from qafm.evaluation.weight_sweep import half_precision, sweep_weights
from qafm.tables.descriptors import descriptors_table
from qafm.tables.parquet import write_parquet
from qafm.tables.table4 import Run
from tests.unit.evaluation.conftest import SmallRun
from tests.unit.evaluation.random_sides import other_view, side

RUN = Run(dataset="d", features="f", model="m", init="random")
GRID = 5


def slow_ap(scores: list[float], right: list[bool], counted: list[bool]) -> float:
    """Mean precision at every right image, by a stable sort of the images that count."""
    order = sorted((k for k in range(len(scores)) if counted[k]), key=lambda k: -scores[k])
    hits, total = 0, 0.0
    for place, k in enumerate(order, start=1):
        if right[k]:
            hits += 1
            total += hits / place
    return total / hits


def test_half_precision_by_hand() -> None:
    # Right images at places 0, 2, 5 (mine: 0 and 5). Without the one at 2 the gallery moves up: mine stand at 0 and 4; the other, alone, at 1.
    mine, other = half_precision(np.array([5, 0, 2]), np.array([True, True, False]))
    assert mine == pytest.approx((1 / 1 + 2 / 5) / 2)
    assert other == pytest.approx(1 / 2)


@pytest.mark.parametrize("same_camera", ["drop", "keep"])
def test_sweep_equals_a_full_sort_of_the_weighted_concatenation(same_camera: str) -> None:
    rng = np.random.default_rng(4)
    query = side(rng, [1, 2, 1, 3], [1, 1, 2, 1], 6)
    gallery = side(rng, [*(i % 3 + 1 for i in range(24)), 0, 0], [*(i // 3 % 4 + 1 for i in range(24)), 1, 2], 6)
    query_2, gallery_2 = other_view(rng, query, 4), other_view(rng, gallery, 4)
    grid = np.linspace(0, 1, GRID)
    found = sweep_weights((query, query_2), (gallery, gallery_2), grid, same_camera=same_camera, seed=8)  # type: ignore[arg-type]
    draws = np.random.default_rng(8)
    for i in range(4):
        right = [
            p == query.labels.pid[i] and (same_camera == "keep" or c != query.labels.camid[i])
            for p, c in zip(gallery.labels.pid, gallery.labels.camid, strict=True)
        ]
        counted = [r or p != query.labels.pid[i] for r, p in zip(right, gallery.labels.pid, strict=True)]
        relevant = [k for k, r in enumerate(right) if r]
        in_first = dict(zip(relevant, draws.permutation(len(relevant)) % 2 == 0, strict=True))
        for k, w in enumerate(grid):
            one = unit_rows(np.concatenate([w * query.descriptor[i], (1 - w) * query_2.descriptor[i]])[None].astype(np.float32))[0]
            all_of = unit_rows(np.concatenate([w * gallery.descriptor, (1 - w) * gallery_2.descriptor], axis=1).astype(np.float32))
            scores = [float(v) for v in all_of @ one]
            assert found.ap[k, i] == pytest.approx(slow_ap(scores, right, counted), abs=1e-9)
            for half, wanted in ((0, True), (1, False)):
                mine = [r and bool(in_first[g]) == wanted for g, r in enumerate(right)]
                left = [c and (not r or m) for c, r, m in zip(counted, right, mine, strict=True)]
                assert found.half[half, k, i] == pytest.approx(slow_ap(scores, mine, left), abs=1e-9)


def test_a_query_with_one_right_image_has_no_halves_and_one_with_none_nothing() -> None:
    rng = np.random.default_rng(1)
    query, gallery = side(rng, [1, 2, 9], [1, 1, 1], 3), side(rng, [1, 1, 2, 0], [2, 3, 2, 2], 3)
    found = sweep_weights((query, query), (gallery, gallery), np.array([0.0, 1.0]), same_camera="drop", seed=1)
    assert np.isfinite(found.half[:, :, 0]).all() and np.isnan(found.half[:, :, 1:]).all()
    assert np.isfinite(found.ap[:, :2]).all() and np.isnan(found.ap[:, 2]).all()


WEIGHTS = np.array([0.0, 0.5, 1.0])


def test_split_halves_by_hand() -> None:
    # Queries a and b; c has one right image. [half, weight, query]
    first = [[0.2, 0.9, np.nan], [0.6, 0.9, np.nan], [0.6, 0.3, np.nan]]
    second = [[0.1, 0.7, np.nan], [0.5, 0.2, np.nan], [0.8, 0.4, np.nan]]
    found = split_halves(np.array([first, second]), WEIGHTS)
    # The first half chooses: means 0.55, 0.75, 0.45: 0.5 for all, scored 0.5 and 0.2. a alone: 0.5 and 1 are equal, 0.5 is the common one: 0.5.
    # b alone: 0 and 0.5 are equal: 0.5, scored 0.2.
    # The second half chooses: means 0.4, 0.35, 0.6: 1 for all, scored 0.6 and 0.3. a alone: 1, scored 0.6. b alone: 0, scored 0.9.
    assert found["split_fixed"][:2] == pytest.approx([(0.5 + 0.6) / 2, (0.2 + 0.3) / 2])
    assert found["split_oracle"][:2] == pytest.approx([(0.5 + 0.6) / 2, (0.2 + 0.9) / 2])
    assert np.isnan(found["split_fixed"][2]) and np.isnan(found["split_oracle"][2])


def test_the_scored_half_has_no_say_in_the_choice() -> None:
    """Against a loop that never looks at the scored half before it has chosen, on values with many ties."""
    weights, half = np.linspace(0, 1, 5), np.round(np.random.default_rng(5).random((2, 5, 30)), 1)

    def nearest(scores: np.ndarray, to: float) -> int:
        return min((k for k in range(5) if scores[k] == scores.max()), key=lambda k: abs(weights[k] - to))

    expected = np.zeros(30)
    for chooser, scored in ((0, 1), (1, 0)):
        common = weights[nearest(half[chooser].mean(axis=1), 0.5)]
        for i in range(30):
            expected[i] += half[scored, nearest(half[chooser, :, i], common), i] / 2
    assert split_halves(half, weights)["split_oracle"] == pytest.approx(expected)


@pytest.fixture
def run(small_run: Callable[..., SmallRun]) -> SmallRun:
    return small_run()


def measured(run: SmallRun, folder: Path, pair: str = "branches", **changes: object) -> dict:
    sources = [Source(run.embeddings, run.head, branch) for branch in ("apn", "apan")]
    settings = {"same_camera": "drop", "grid": GRID, "seed": 3} | changes
    measure_oracle(pair, run.images, *sources, **settings, out=folder / f"{pair}.json")  # type: ignore[arg-type]
    return json.loads((folder / f"{pair}.json").read_text())


def test_artifact_orders_the_methods_as_it_must(run: SmallRun, tmp_path: Path) -> None:
    content = measured(run, tmp_path)
    queries = content["queries"]
    mean = {name: np.mean(queries[name]) for name in METHODS}
    assert 0 <= content["weight_holdout"] <= 1 and 0 <= content["weight_test"] <= 1
    assert mean["oracle"] >= mean["fixed_test"] >= max(mean["first"], mean["second"], mean["fixed_holdout"])
    assert all(o >= max(a, b) for o, a, b in zip(queries["oracle"], queries["first"], queries["second"], strict=True))
    assert len(queries["image_id"]) == 6  # the query of a stranger is not there


def test_every_method_is_the_retrieval_it_is_named_after(run: SmallRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("qafm.evaluation.measure_oracle._holdout_weight", lambda *_: 0.25)  # another weight than the one that is best for the queries
    content = measured(run, tmp_path)
    queries = content["queries"]
    for method, experiment in (("first", "apn_descriptor"), ("second", "apan_descriptor")):
        out = tmp_path / f"{experiment}.json"
        evaluate_alpha(experiment, run.images, run.embeddings, run.head, same_camera="drop", config=AblationConfig(), out=out)
        assert queries[method] == pytest.approx(json.loads(out.read_text())["galleries"]["standard"]["queries"]["ap"], abs=2e-6)
    first, second = (load_branch(run.images, Source(run.embeddings, run.head, branch)) for branch in ("apn", "apan"))
    at = {}
    for w in np.linspace(0, 1, GRID):
        sides = ((first.query, second.query), (first.gallery, second.gallery))
        vectors = [unit_rows(np.concatenate([w * one.descriptor, (1 - w) * other.descriptor], axis=1)) for one, other in sides]
        ap = evaluate_retrieval(first.query.labels, first.gallery.labels, dot_similarity(*vectors)).ap
        at[float(w)] = ap[np.isfinite(ap)]
    assert (content["weight_holdout"], content["weight_test"]) == (0.25, max(at, key=lambda w: (round(at[w].mean(), 9), -abs(w - 0.5))))
    assert at[0.25].mean() < at[content["weight_test"]].mean()
    assert queries["fixed_holdout"] == pytest.approx(at[0.25], abs=2e-6)
    assert queries["fixed_test"] == pytest.approx(at[content["weight_test"]], abs=2e-6)
    assert queries["oracle"] == pytest.approx(np.max(list(at.values()), axis=0), abs=2e-6)


def test_the_weight_of_held_out_identities_is_their_best(run: SmallRun, tmp_path: Path) -> None:
    sides = [load_branch(run.images, Source(run.embeddings, run.head, branch)).holdout for branch in ("apn", "apan")]
    first, second = (side for side in sides if side is not None)
    pid, camid = first.labels.pid, first.labels.camid
    assert camid is not None and len(pid) > 3
    means = []
    for w in np.linspace(0, 1, GRID):
        fused = unit_rows(np.concatenate([w * first.descriptor, (1 - w) * second.descriptor], axis=1))
        aps = []
        for i in range(len(pid)):
            counted = [j != i and not (pid[j] == pid[i] and camid[j] == camid[i]) for j in range(len(pid))]
            right = [c and pid[j] == pid[i] for j, c in enumerate(counted)]
            aps += [slow_ap([float(v) for v in fused @ fused[i]], right, counted)] if any(right) else []
        means.append(np.mean(aps))
    best = [w for w, mean in zip(np.linspace(0, 1, GRID), means, strict=True) if mean == max(means)]
    assert len(best) < GRID
    assert measured(run, tmp_path)["weight_holdout"] == min(best, key=lambda w: abs(w - 0.5))


def test_one_descriptor_twice_leaves_nothing_to_choose(run: SmallRun, tmp_path: Path) -> None:
    source = Source(run.embeddings, run.head, "apn")
    measure_oracle("apn_seeds", run.images, source, source, same_camera="drop", grid=GRID, seed=3, out=tmp_path / "o.json")
    queries = json.loads((tmp_path / "o.json").read_text())["queries"]
    assert queries["oracle"] == queries["first"] == queries["second"] and queries["split_oracle"] == queries["split_fixed"]


def descriptors_of(run: SmallRun, path: Path, seed: int) -> Path:
    rng = np.random.default_rng(seed)
    write_parquet(path, descriptors_table(run.names, run.splits, rng.standard_normal((len(run.names), 4)).astype(np.float32)))
    return path


def test_table_compares_with_the_null(run: SmallRun, tmp_path: Path) -> None:
    measured(run, tmp_path)
    twins = [Source(descriptors_of(run, tmp_path / f"{i}.parquet", i)) for i in (1, 2)]
    measure_oracle("baselines", run.images, *twins, same_camera="drop", grid=GRID, seed=3, out=tmp_path / "baselines.json")
    rows = [(1, pair, tmp_path / f"{pair}.json") for pair in ("branches", "baselines")]
    tabulate_oracle(rows, RUN, AblationConfig(bootstrap_samples=50), tmp_path / "oracle.csv")
    with (tmp_path / "oracle.csv").open(newline="") as stream:
        branches, null = csv.DictReader(stream)
    ap = {pair: json.loads((tmp_path / f"{pair}.json").read_text())["queries"] for pair in ("branches", "baselines")}
    gain = {pair: 100 * (np.mean(found["oracle"]) - np.mean(found["fixed_test"])) for pair, found in ap.items()}
    assert float(branches["oracle_gain"]) == pytest.approx(gain["branches"], abs=0.006)
    assert float(null["branches_oracle_gain_over_it"]) == pytest.approx(gain["branches"] - gain["baselines"], abs=0.006)
    assert float(null["branches_fixed_over_it"]) == pytest.approx(
        100 * (np.mean(ap["branches"]["fixed_test"]) - np.mean(ap["baselines"]["fixed_test"])), abs=0.006
    )
    assert branches["branches_oracle_gain_over_it"] == null["anything_to_adapt_to"] == ""
    assert branches["anything_to_adapt_to"] in ("yes", "no")
    assert float(branches["split_gain_low"]) <= float(branches["split_gain"]) <= float(branches["split_gain_high"])
    assert (branches["first"], branches["second"], branches["dataset"], branches["n_seeds"]) == ("APN", "APAN", "d", "1")


def test_every_cell_of_the_table_by_hand(tmp_path: Path) -> None:
    # Percent by method; the second seed is 4 better in all of them, and the weights of the seeds lie 0.2 apart. One query has a single right image: no halves.
    percent = {
        "branches": {"first": 10, "second": 20, "fixed_holdout": 31, "fixed_test": 33, "oracle": 40, "split_fixed": 52, "split_oracle": 55},
        "baselines": {"first": 15, "second": 16, "fixed_holdout": 17, "fixed_test": 18, "oracle": 21, "split_fixed": 26, "split_oracle": 27},
    }
    rows = []
    for pair, values in percent.items():
        for seed, more in ((1, 0), (2, 4)):
            ap = {name: [(value + more) / 100] * 2 + [None if name.startswith("split") else (value + more) / 100] for name, value in values.items()}
            content = {"pair": pair, "weight_holdout": 0.1 + more / 20, "weight_test": 0.6 + more / 20}
            rows.append((seed, pair, tmp_path / f"{pair}-{seed}.json"))
            rows[-1][2].write_text(json.dumps(content | {"queries": {"image_id": ["a", "b", "c"], "pid": [1, 1, 2], **ap}}))
    tabulate_oracle(rows, RUN, AblationConfig(bootstrap_samples=20), tmp_path / "t.csv")
    with (tmp_path / "t.csv").open(newline="") as stream:
        branches, null = csv.DictReader(stream)
    for row, pair in ((branches, "branches"), (null, "baselines")):
        assert {name: row[f"mAP_{name}"] for name in METHODS} == {name: f"{value + 2}.00" for name, value in percent[pair].items()}
        assert (row["weight_holdout"], row["weight_test"], row["n_queries"], row["n_seeds"]) == ("0.2000", "0.7000", "3", "2")
    assert interval_cells(branches) == {"oracle_gain": "7.00", "split_gain": "3.00", **dict.fromkeys(LEADS, "")}
    leads = {"branches_fixed_over_it": "15.00", "branches_oracle_gain_over_it": "4.00", "branches_split_gain_over_it": "2.00"}
    assert interval_cells(null) == {"oracle_gain": "3.00", "split_gain": "1.00", **leads}
    assert (branches["anything_to_adapt_to"], null["anything_to_adapt_to"]) == ("yes", "")


def interval_cells(row: dict[str, str]) -> dict[str, str]:
    """The gains and leads of a row whose queries all have the same AP: the mean is both ends of its interval."""
    for name in (*GAINS, *LEADS):
        assert row[name] == row[f"{name}_low"] == row[f"{name}_high"]
    return {name: row[name] for name in (*GAINS, *LEADS)}


def verdict(folder: Path, gains: dict[str, list[float]]) -> str:
    """The table's answer for made-up gains per query: 40 queries of 20 people."""
    for pair, gain in gains.items():
        values = {name: [0.5] * 40 for name in METHODS} | {"split_oracle": [0.5 + g for g in gain]}
        queries = {"image_id": [str(i) for i in range(40)], "pid": [i // 2 for i in range(40)], **values}
        (folder / f"{pair}.json").write_text(json.dumps({"pair": pair, "weight_holdout": None, "weight_test": 0.5, "queries": queries}))
    tabulate_oracle([(1, pair, folder / f"{pair}.json") for pair in gains], RUN, AblationConfig(bootstrap_samples=200), folder / "t.csv")
    with (folder / "t.csv").open(newline="") as stream:
        return next(csv.DictReader(stream))["anything_to_adapt_to"]


def test_the_verdict_needs_both_a_gain_and_one_beyond_chance(tmp_path: Path) -> None:
    noise = np.random.default_rng(2).normal(0, 0.01, 40)
    gains = {"high": list(0.1 + noise), "none": list(noise - noise.mean())}
    assert verdict(tmp_path, {"branches": gains["high"], "baselines": gains["none"]}) == "yes"
    assert verdict(tmp_path, {"branches": gains["high"], "baselines": gains["high"]}) == "no"
    assert verdict(tmp_path, {"branches": gains["none"], "baselines": gains["none"]}) == "no"
    assert verdict(tmp_path, {"branches": gains["none"], "baselines": [-gain for gain in gains["high"]]}) == "no"  # above the null, but no gain
    assert verdict(tmp_path, {"branches": gains["high"]}) == ""


@pytest.mark.parametrize("pair", ["apn_seeds", "apan_seeds"])
def test_the_verdict_needs_a_gain_beyond_that_of_each_branch_and_itself(tmp_path: Path, pair: str) -> None:
    noise = np.random.default_rng(2).normal(0, 0.01, 40)
    high, none = list(0.1 + noise), list(noise - noise.mean())
    for baselines in ({"baselines": none}, {}):
        assert verdict(tmp_path, {"branches": high, pair: none, **baselines}) == "yes"
        assert verdict(tmp_path, {"branches": high, pair: high, **baselines}) == "no"


def test_bad_input_is_named(run: SmallRun, tmp_path: Path) -> None:
    (tmp_path / "broken.json").write_text("{}")
    with pytest.raises(InputError, match=r"broken\.json: is no artifact of measure_oracle"):
        tabulate_oracle([(1, "branches", tmp_path / "broken.json")], RUN, AblationConfig(), tmp_path / "t.csv")
    measured(run, tmp_path)
    with pytest.raises(InputError, match=r"branches\.json: is of pair branches, expected baselines"):
        tabulate_oracle([(1, "baselines", tmp_path / "branches.json")], RUN, AblationConfig(), tmp_path / "t.csv")
    lacking = tmp_path / "lacking.parquet"
    names = [name for name in run.names if "0001" not in name]
    splits = [split for name, split in zip(run.names, run.splits, strict=True) if name in names]
    write_parquet(lacking, descriptors_table(names, splits, np.ones((len(names), 3), np.float32)))
    full = descriptors_of(run, tmp_path / "full.parquet", 1)
    with pytest.raises(InputError, match="they are of different images"):
        measure_oracle("baselines", run.images, Source(full), Source(lacking), same_camera="drop", grid=GRID, seed=1, out=tmp_path / "o.json")
    assert not (tmp_path / "o.json").exists() and not (tmp_path / "t.csv").exists()
