"""Guides of the weight: places and rules against loops, what a search tells, and a planted guide that must be found while chance is not."""

import csv
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pyarrow as pa
import pytest
from safetensors.numpy import save_file

from qafm.config.ablation import AblationConfig
from qafm.errors import InputError
from qafm.evaluation.bootstrap import identity_interval
from qafm.evaluation.fuse import ExportedHead, concat
from qafm.evaluation.load_embeddings import load_embeddings
from qafm.evaluation.ranking import dot_similarity, evaluate_retrieval
from qafm.guides.guided_weight import Rule, ap_at, fit_rule, nearest_on, places
from qafm.guides.known_of_query import BY_QUALITY, file_guides, network_guides, picture_guides, quality_guides, search_guides
from qafm.guides.measure_guides import READS, cross_fitted, measure_guides
from qafm.guides.tabulate_guides import tabulate_guides
from qafm.tables.attributes import ATTRIBUTE_NAMES
from qafm.tables.embeddings import embeddings_schema
from qafm.tables.images import IMAGES_SCHEMA
from qafm.tables.parquet import read_parquet, write_parquet
from qafm.tables.quality import QUALITY_SCHEMA
from qafm.tables.table4 import Run
from tests.unit.evaluation.random_sides import other_view, side

NAN = float("nan")
GRID = 11
DIM = 5


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([3.0, 1.0, 2.0], [1, -1, 0]),
        ([5.0, NAN, 1.0, 1.0], [1, 0, -0.5, -0.5]),
        ([2.0, 2.0], [0, 0]),
        ([7.0, NAN], [0, 0]),
        ([], []),
    ],
)
def test_places_by_hand(values: list[float], expected: list[float]) -> None:
    assert places(np.array(values)) == pytest.approx(expected)


def test_the_weight_follows_the_place_and_stays_between_0_and_1() -> None:
    assert Rule(0.5, 0.25).weights(np.array([-1.0, 0.0, 1.0])) == pytest.approx([0.25, 0.5, 0.75])
    assert Rule(0.9, -0.5).weights(np.array([-1.0, 1.0])) == pytest.approx([1.0, 0.4])
    grid = np.linspace(0, 1, 5)
    assert nearest_on(grid, np.array([0.0, 0.13, 0.375, 1.0])).tolist() == [0, 1, 1, 4]


def test_the_rule_is_the_best_of_all_against_a_loop() -> None:
    rng = np.random.default_rng(2)
    grid, place = np.linspace(0, 1, 5), rng.uniform(-1, 1, 40)
    ap = rng.random((5, 40))
    best = 0.0
    for base in grid:
        for slope in (-0.5, -0.25, 0.0, 0.25, 0.5):
            of_queries = [ap[min(range(5), key=lambda k: (abs(grid[k] - min(max(base + slope * p, 0), 1)), k)), i] for i, p in enumerate(place)]
            best = max(best, float(np.mean(of_queries)))
    rule = fit_rule(place, ap, grid)
    assert ap_at(ap, nearest_on(grid, rule.weights(place))).mean() == pytest.approx(best)


def test_among_equal_rules_the_flattest_nearest_to_a_half() -> None:
    assert fit_rule(np.array([-1.0, 0.3, 1.0]), np.full((5, 3), 0.4), np.linspace(0, 1, 5)) == Rule(0.5, 0.0)
    ap = np.zeros((5, 2))
    ap[1, 0] = ap[3, 1] = 1.0  # weights 0.25 and 0.75 for places -1 and 1: base 0.5 and slope 0.25, nothing flatter
    assert fit_rule(np.array([-1.0, 1.0]), ap, np.linspace(0, 1, 5)) == Rule(0.5, 0.25)


@pytest.mark.parametrize("same_camera", ["drop", "keep"])
def test_what_the_searches_tell_against_a_loop(same_camera: str) -> None:
    rng = np.random.default_rng(4)
    query = side(rng, [1, 2, 3], [1, 2, 1], 6, ["a", "b", "c"])
    gallery = side(rng, [1, 1, 2, 3, 0, 0], [1, 2, 2, 3, 1, 3], 6, ["d", "e", "b", "f", "g", "h"])  # b: the query itself
    query_2, gallery_2 = other_view(rng, query, 4), other_view(rng, gallery, 4)
    found = search_guides((query, query_2), (gallery, gallery_2), same_camera)  # type: ignore[arg-type]
    for i in range(3):
        nearest, area = [], []
        for one, other in ((query, gallery), (query_2, gallery_2)):
            hidden = [
                name == query.labels.image_id[i] or (same_camera == "drop" and c == query.labels.camid[i])
                for name, c in zip(gallery.labels.image_id, gallery.labels.camid, strict=True)
            ]
            scores = [float(one.descriptor[i] @ vector) for vector, h in zip(other.descriptor, hidden, strict=True) if not h]
            curve = sorted(((s - min(scores)) / (max(scores) - min(scores)) for s in scores), reverse=True)
            nearest.append(max(scores))
            area.append(sum(curve) / len(curve))
        assert found["nearest"][i] == pytest.approx(nearest[0] - nearest[1], abs=1e-6)
        assert found["score_curve"][i] == pytest.approx(np.log(area[1] / area[0]), abs=1e-5)


def test_a_search_that_sees_nothing_tells_nothing() -> None:
    rng = np.random.default_rng(1)
    query, gallery = side(rng, [1, 2], [1, 2], 3), side(rng, [1, 2], [1, 1], 3)
    found = search_guides((query, query), (gallery, gallery), "drop")
    assert np.isnan(found["nearest"]).tolist() == [True, False]
    assert np.isnan(found["score_curve"]).tolist() == [True, False]
    with pytest.raises(InputError, match="same_camera: 'no' is neither drop nor keep"):
        search_guides((query, query), (gallery, gallery), "no")  # type: ignore[arg-type]


def write_quality(path: Path, q: dict[str, float]) -> Path:
    rows = [
        {field.name: None for field in QUALITY_SCHEMA} | {"image_id": name, "q": value, "q_z": 0.0, "q_rank": 0.0, "q_blur": -value}
        for name, value in q.items()
    ]
    write_parquet(path, pa.Table.from_pylist(rows, QUALITY_SCHEMA))
    return path


def test_q_is_looked_up_and_may_be_unknown(tmp_path: Path) -> None:
    found = quality_guides(write_quality(tmp_path / "q.parquet", {"a": 1.5, "b": 2.0}), ["b", "x", "a"])
    assert list(found) == list(BY_QUALITY)
    assert found["q"] == pytest.approx([2.0, NAN, 1.5], nan_ok=True) and found["q_blur"] == pytest.approx([-2.0, NAN, -1.5], nan_ok=True)
    assert np.isnan(found["q_light"]).all()


@dataclass(frozen=True)
class PlantedRun:
    images: Path
    embeddings: Path
    head: Path
    quality: Path

    def measure(self, out: Path, **changes: Any) -> dict[str, Any]:
        settings = {"same_camera": "drop", "grid": GRID, "seed": 3} | changes
        compare = settings.pop("compare", None)
        measure_guides(self.images, self.embeddings, self.head, self.quality, compare, **settings, out=out)
        return json.loads(out.read_text())


def planted_run(folder: Path, *, holdout: bool = True) -> PlantedRun:
    """120 people, half of them held out. By the first camera a bright image has a good vector by APN and none by APAN, a dark one the other way round."""
    rng = np.random.default_rng(5)
    people = [*range(1, 61), *range(101, 161)] if holdout else list(range(1, 61))
    centres = {pid: rng.normal(size=(2, DIM)) for pid in people}
    rows, vectors = [], []
    for pid in people:
        for camid in (1, 2, 3):
            split = "train" if pid > 100 else "query" if camid == 1 else "gallery"
            bright, name = bool(rng.random() < 0.5), f"{split}/{pid}_{camid}"
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            shade = np.full((8, 4, 3), 200 if bright else 40, np.uint8) + rng.integers(0, 9, (8, 4, 3), np.uint8)
            path.write_bytes(cv2.imencode(".png", shade)[1].tobytes())
            row = {field.name: None for field in IMAGES_SCHEMA} | dict.fromkeys(ATTRIBUTE_NAMES)
            row |= {"image_id": name, "path": str(path), "split": split, "pid": pid, "camid": camid, "sha256": name, "junk": False, "distractor": False}
            rows.append(row | {"height": 8, "width": 4, "fold": "holdout" if pid > 100 else None})
            blind = camid == 1  # all else is seen well by both
            noise = rng.normal(size=(2, DIM)) * np.array([[0.3 if bright or not blind else 4.0], [4.0 if bright and blind else 0.3]])
            vectors.append(centres[pid] + noise)
    write_parquet(folder / "images.parquet", pa.Table.from_pylist(rows, IMAGES_SCHEMA))
    arrays = {
        "image_id": [row["image_id"] for row in rows],
        "split": ["holdout" if row["split"] == "train" else row["split"] for row in rows],
        "q": [0.0] * len(rows),
        "visual_weight": [0.5] * len(rows),
        "v_a": [v[0].astype(np.float32) for v in vectors],
        "v_s": [v[1].astype(np.float32) for v in vectors],
    }
    write_parquet(folder / "embeddings.parquet", pa.Table.from_pydict(arrays, embeddings_schema(DIM, DIM)))
    ones, zeros = np.ones(DIM, np.float32), np.zeros(DIM, np.float32)
    head = {"fc_weight": np.eye(DIM, 2 * DIM, dtype=np.float32), "fc_scale": ones, "fc_shift": zeros}
    save_file(
        head | {f"{b}_{n}": v for b in ("apn", "apan") for n, v in (("scale", ones), ("shift", zeros))},
        folder / "head.safetensors",
        {"activation": "none", "normalize": "true"},
    )
    quality = write_quality(folder / "quality.parquet", {row["image_id"]: float(rng.random()) for row in rows})
    return PlantedRun(folder / "images.parquet", folder / "embeddings.parquet", folder / "head.safetensors", quality)


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> PlantedRun:
    return planted_run(tmp_path_factory.mktemp("planted"))


@pytest.fixture(scope="module")
def content(planted: PlantedRun, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return planted.measure(tmp_path_factory.mktemp("out") / "guides.json")


def test_a_planted_guide_is_found(content: dict[str, Any]) -> None:
    guides, fixed = content["guides"], np.mean(content["queries"]["fixed"])
    gain = {name: np.mean(guide["ap"]) - fixed for name, guide in guides.items()}
    assert gain["brightness"] > 0.05 and guides["brightness"]["slope"] > 0 and guides["brightness"]["weight_sd"] > 0.1
    assert gain["own_lead"] >= gain["brightness"] - 0.02 and gain["combined"] > 0.5 * gain["brightness"]
    for chance in ("q", "random"):
        assert abs(gain[chance]) < 0.3 * gain["brightness"]
    assert {"q", "q_blur", "brightness", "apn_norm", "nearest", "combined"} <= set(guides) <= set(READS)
    assert not {"visual_weight", "q_light"} & set(guides)  # the same for all, unknown


def test_every_ap_is_that_of_the_search_at_the_querys_own_weight(planted: PlantedRun, content: dict[str, Any]) -> None:
    loaded, head = load_embeddings(planted.images, planted.embeddings), ExportedHead.load(planted.head)
    grid = np.linspace(0, 1, GRID)

    def ap_of(weights: np.ndarray) -> list[float]:
        own = []
        for i, w in enumerate(weights):
            query, gallery = (concat(head.apn_descriptor(s.v_a), head.apan_descriptor(s.v_s), w) for s in (loaded.query, loaded.gallery))
            own.append(evaluate_retrieval(loaded.query.labels, loaded.gallery.labels, dot_similarity(query, gallery)).ap[i])
        return own

    guide = content["guides"]["brightness"]
    values = picture_guides(planted.images, loaded.query.labels.image_id)["brightness"]
    assert guide["place"] == pytest.approx(places(values), abs=1e-6)
    weights = grid[nearest_on(grid, np.clip(guide["base"] + guide["slope"] * places(values), 0, 1))]
    assert guide["ap"] == pytest.approx(ap_of(weights), abs=1e-5)
    assert guide["weight_sd"] == pytest.approx(weights.std(), abs=1e-6)
    assert content["queries"]["lead"] == pytest.approx(np.subtract(ap_of(np.ones(60)), ap_of(np.zeros(60))), abs=1e-5)


def test_anybodys_measure_is_a_guide_like_the_others(planted: PlantedRun, content: dict[str, Any], tmp_path: Path) -> None:
    """The pictures' brightness as a file."""
    loaded = load_embeddings(planted.images, planted.embeddings)
    assert loaded.holdout is not None
    names = [str(name) for side in (loaded.query, loaded.holdout) for name in side.labels.image_id]
    values = picture_guides(planted.images, names)["brightness"]
    (tmp_path / "own.csv").write_text("file,q\n" + "".join(f"{Path(name).name},{value}\n" for name, value in zip(names, values, strict=True)))
    found = planted.measure(tmp_path / "g.json", compare=tmp_path / "own.csv")["guides"]
    assert found["compared"] == found["brightness"] == content["guides"]["brightness"] and "compared" not in content["guides"]


def test_a_measure_that_lacks_an_image_is_unknown_there(tmp_path: Path) -> None:
    (tmp_path / "own.csv").write_text("file,q\na.jpg,2.5\n")
    assert file_guides(tmp_path / "own.csv", ["query/b.jpg", "query/a.jpg"])["compared"] == pytest.approx([NAN, 2.5], nan_ok=True)
    assert file_guides(None, ["query/a.jpg"]) == {}


def test_the_queries_have_no_say_in_the_rules(planted: PlantedRun, content: dict[str, Any], tmp_path: Path) -> None:
    """With the queries' vectors exchanged between people, rules and fixed weight stay."""
    table = read_parquet(planted.embeddings)
    is_query = np.array(table["split"].to_pylist()) == "query"
    rows = np.arange(len(table))
    rows[is_query] = np.roll(rows[is_query], 1)
    moved = {name: table[name].take(rows) if name.startswith("v_") else table[name] for name in table.schema.names}
    write_parquet(tmp_path / "e.parquet", pa.Table.from_arrays(list(moved.values()), schema=table.schema))
    other = PlantedRun(planted.images, tmp_path / "e.parquet", planted.head, planted.quality).measure(tmp_path / "g.json")
    rules = [{name: (guide["base"], guide["slope"]) for name, guide in of["guides"].items()} for of in (content, other)]
    assert rules[0] == rules[1] and np.mean(other["queries"]["fixed"]) < np.mean(content["queries"]["fixed"])


def test_nobody_has_a_say_in_what_is_predicted_of_him() -> None:
    rng = np.random.default_rng(7)
    known, pid = rng.normal(size=(40, 3)), np.repeat(np.arange(8), 5)
    lead = known @ [0.5, -0.2, 0.0] + 0.1
    assert cross_fitted(known, lead, pid, seed=1) == pytest.approx(lead)  # least squares with a constant
    for identity in range(8):
        mine = pid == identity
        changed = cross_fitted(known, np.where(mine, -lead, lead), pid, seed=1)
        assert changed[mine] == pytest.approx(lead[mine])
        assert not np.allclose(changed[~mine], lead[~mine])
    assert np.isnan(cross_fitted(known[:5], lead[:5], pid[:5], seed=1)).all()  # nobody else


def test_the_combined_rule_is_chosen_on_cross_fitted_predictions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, planted: PlantedRun) -> None:
    monkeypatch.setattr("qafm.guides.measure_guides.cross_fitted", lambda _known, lead, _pid, _seed: -lead)
    found = planted.measure(tmp_path / "g.json")
    assert found["guides"]["combined"]["slope"] < 0 < found["guides"]["own_lead"]["slope"]


def test_the_learned_weight_and_norms(planted: PlantedRun) -> None:
    loaded = load_embeddings(planted.images, planted.embeddings)
    found = network_guides(loaded.query)
    assert found["visual_weight"] == pytest.approx(loaded.query.weight)
    assert found["apn_norm"] == pytest.approx(np.sqrt((loaded.query.v_a**2).sum(axis=1)), rel=1e-5)
    assert found["apan_norm"] == pytest.approx(np.sqrt((loaded.query.v_s**2).sum(axis=1)), rel=1e-5)


RUN = Run(dataset="d", features="f", model="m", init="random")
CONFIG = AblationConfig(bootstrap_samples=50, seed=2)


def table(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as stream:
        return list(csv.DictReader(stream))


def test_without_held_out_identities_no_rule_but_the_correlations(tmp_path: Path) -> None:
    found = planted_run(tmp_path, holdout=False).measure(tmp_path / "g.json")
    assert found["queries"]["fixed"] is None and "combined" not in found["guides"]
    assert all(guide["ap"] is guide["base"] is guide["slope"] is None for guide in found["guides"].values())
    tabulate_guides([(1, tmp_path / "g.json")], RUN, CONFIG, tmp_path / "t.csv")
    rows = {row["guide"]: row for row in table(tmp_path / "t.csv")}
    assert float(rows["brightness"]["spearman"]) > 0.5 and float(rows["own_lead"]["spearman"]) == 1.0
    assert (rows["q"]["mAP"], rows["q"]["gain"], rows["q"]["slope"]) == ("", "", "")


def artifact(path: Path, ap: list[float], *, names: tuple[str, ...] = ("a", "b", "c"), extra: tuple[str, ...] = ()) -> Path:
    guide = {"place": [-1.0, 0.0, 1.0], "ap": ap, "base": 0.5, "slope": 0.1 * ap[0], "weight_sd": 0.02}
    queries = {"image_id": names, "pid": [1, 1, 2], "lead": [0.3, 0.1, -0.2], "fixed": [0.5, 0.5, 0.5]}
    path.write_text(json.dumps({"queries": queries, "guides": {name: guide for name in ("q", "own_lead", *extra)}}))
    return path


def test_table_by_hand(tmp_path: Path) -> None:
    files = [(1, artifact(tmp_path / "1.json", [0.6, 0.5, 0.9], extra=("nearest",))), (2, artifact(tmp_path / "2.json", [0.8, 0.5, 0.5]))]
    tabulate_guides(files, RUN, CONFIG, tmp_path / "t.csv")
    q, own = table(tmp_path / "t.csv")  # what one seed alone knows is left out
    assert (q["guide"], q["reads"], own["guide"], own["reads"]) == ("q", "Q", "own_lead", "the query's labels")
    assert (q["dataset"], q["features"], q["model"], q["init"], q["n_queries"], q["n_seeds"]) == ("d", "f", "m", "random", "3", "2")
    assert (q["mAP_fixed"], q["mAP"], q["gain"], q["slope"], q["visual_weight_sd"]) == ("50.00", "63.33", "13.33", "0.0700", "0.0200")
    low, high = identity_interval(np.array([20.0, 0.0, 20.0]), np.array([1, 1, 2]), samples=50, seed=2)
    assert (q["gain_low"], q["gain_high"]) == (f"{low:.2f}", f"{high:.2f}")
    assert q["spearman"] == "-1.000" and float(q["spearman_low"]) <= -1.0 <= float(q["spearman_high"])


def test_bad_artifacts_are_one_line(tmp_path: Path) -> None:
    good = artifact(tmp_path / "1.json", [0.6, 0.5, 0.9])
    with pytest.raises(InputError, match=r"2\.json: is of other queries than .*1\.json"):
        tabulate_guides([(1, good), (2, artifact(tmp_path / "2.json", [0.6, 0.5, 0.9], names=("a", "b", "x")))], RUN, CONFIG, tmp_path / "t.csv")
    (tmp_path / "3.json").write_text("{}")
    with pytest.raises(InputError, match=r"3\.json: is no artifact of measure_guides"):
        tabulate_guides([(1, tmp_path / "3.json")], RUN, CONFIG, tmp_path / "t.csv")
    assert not (tmp_path / "t.csv").exists()
