import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError
from scipy.io import loadmat

from qafm.config.quality import QualityConfig
from qafm.errors import InputError
from qafm.quality.identifiability import identifiability
from qafm.quality.score_quality import score_quality
from qafm.tables.parquet import read_parquet
from qafm.tables.quality import QUALITY_SCHEMA

FAMILIES = ("light", "blur", "blur", "occlusion", "noise")  # 6 variants with the original, no background
INDEX = [
    *({"image_id": f"train/{n:02}.jpg", "fold": "holdout" if n >= 8 else "fit", "pid": n // 2} for n in range(12)),
    *({"image_id": f"query/{n:02}.jpg", "split": "query", "pid": 50 + n} for n in range(3)),
    *({"image_id": f"test/{n:02}.jpg", "split": "gallery", "pid": 50 + n // 2} for n in range(6)),
    *({"image_id": f"test/9{n}.jpg", "split": "gallery", "pid": 0, "distractor": True} for n in range(2)),
    {"image_id": "test/junk.jpg", "split": "gallery", "pid": -1, "junk": True},
]
SCORED = sorted(row["image_id"] for row in INDEX if not row.get("junk"))
Run = Callable[..., tuple[dict[str, dict[str, Any]], dict[str, Any]]]


def made_up() -> dict[str, np.ndarray]:
    """Features of each image, float32 [6, 6], more or less spread."""
    rng = np.random.default_rng(0)
    return {name: (1 + rng.uniform(0.05, 0.8) * rng.normal(size=(6, 6))).astype(np.float32) for name in SCORED}


def lines(features: dict[str, np.ndarray], names: list[str]) -> list[tuple[str, int, np.ndarray]]:
    return [(name, variant, vector) for name in names for variant, vector in enumerate(features[name])]


@pytest.fixture
def run(make_index, make_shard, tmp_path: Path) -> Run:
    """Score the made-up features in two shards; what differs from that is given by name."""

    def score(*, index=INDEX, shards=(SCORED[::2], [], SCORED[1::2]), features=None, dtype="float32", families=FAMILIES, **config):
        features = made_up() if features is None else features
        paths = [make_shard(f"{number}.parquet", lines(features, names), dtype) for number, names in enumerate(shards)]
        out, summary = tmp_path / "out" / "quality.parquet", tmp_path / "out" / "quality.json"
        score_quality(make_index(index), paths, QualityConfig(**config), families, out, summary)
        rows = read_parquet(out, QUALITY_SCHEMA).to_pylist()
        return {row["image_id"]: row for row in rows}, json.loads(summary.read_text())

    return score


def of_set(name: str) -> list[str]:
    """Image ids of one set of the made-up index."""
    chosen = {
        "holdout": lambda row: row.get("fold") == "holdout",
        "fit": lambda row: row.get("fold") == "fit",
        "query": lambda row: row.get("split") == "query",
    }
    return [row["image_id"] for row in INDEX if chosen[name](row)]


def test_q_of_every_image_but_junk_sorted(run: Run) -> None:
    rows, _ = run()
    assert list(rows) == SCORED
    for name, features in made_up().items():
        row = rows[name]
        assert row["q"] == row["q_normalized"] == pytest.approx(identifiability(features), rel=1e-12)
        assert row["q_raw"] == pytest.approx(identifiability(features, normalize="none"), rel=1e-12)
        assert row["mean_norm"] == pytest.approx(np.linalg.norm(features.astype(float), axis=1).mean())
        assert row["q_blur"] == pytest.approx(identifiability(features[[0, 2, 3]]), rel=1e-12)
        assert row["q_noise"] == pytest.approx(identifiability(features[[0, 5]]), rel=1e-12)
        assert row["q_background"] is None


def test_normalize_none_makes_raw_q_the_q(run: Run) -> None:
    rows, summary = run(normalize="none")
    for name, features in made_up().items():
        assert rows[name]["q"] == rows[name]["q_raw"] == pytest.approx(identifiability(features, normalize="none"), rel=1e-12)
        assert rows[name]["q_blur"] == pytest.approx(identifiability(features[[0, 2, 3]], normalize="none"), rel=1e-12)
    assert summary["normalize"] == "none"


def test_reference_mode_takes_the_pairs_with_the_original(run: Run) -> None:
    rows, summary = run(mode="reference")
    for name, features in made_up().items():
        assert rows[name]["q"] == pytest.approx(identifiability(features, mode="reference"), rel=1e-12)
        assert rows[name]["q_blur"] == pytest.approx(identifiability(features[[0, 2, 3]], mode="reference"), rel=1e-12)
    assert summary["mode"] == "reference"


def test_float16_features(run: Run) -> None:
    rows, _ = run(dtype="float16")
    for name, features in made_up().items():
        assert rows[name]["q"] == pytest.approx(identifiability(features.astype(np.float16)), rel=1e-12)


def test_the_reference_is_the_held_out_set(run: Run) -> None:
    rows, summary = run()
    held_out = np.array([rows[name]["q"] for name in of_set("holdout")])
    reference = summary["reference"]
    assert reference["set"] == "holdout"
    assert reference["images"] == 4
    assert reference["mean"] == pytest.approx(held_out.mean())
    assert reference["sd"] == pytest.approx(held_out.std())
    assert len(reference["quantiles"]) == 101
    assert reference["quantiles"][50] == pytest.approx(np.median(held_out))
    for row in rows.values():
        assert row["q_z"] == pytest.approx((row["q"] - held_out.mean()) / held_out.std())
        assert row["q_rank"] == sum(q < row["q"] for q in held_out) / 4


def test_without_held_out_identities_the_reference_is_train(run: Run) -> None:
    rows, summary = run(index=[{key: value for key, value in row.items() if key != "fold"} for row in INDEX])
    train = np.array([row["q"] for name, row in rows.items() if name.startswith("train/")])
    assert summary["reference"]["set"] == "train"
    assert summary["reference"]["images"] == 12
    assert summary["reference"]["mean"] == pytest.approx(train.mean())


def test_the_sets_stand_side_by_side(run: Run) -> None:
    rows, summary = run()
    assert {name: entry["images"] for name, entry in summary["sets"].items()} == {"fit": 8, "holdout": 4, "query": 3, "gallery": 6, "distractor": 2}
    for name in ("fit", "holdout", "query"):
        q = np.array([rows[image_id]["q"] for image_id in of_set(name)])
        found = summary["sets"][name]
        assert [found[key] for key in ("mean", "sd", "median", "min", "max")] == pytest.approx([q.mean(), q.std(), np.median(q), q.min(), q.max()])
    assert summary["sets"]["fit"]["sd_within_identity"] ** 2 + summary["sets"]["fit"]["sd_between_identities"] ** 2 == pytest.approx(
        summary["sets"]["fit"]["sd"] ** 2
    )
    assert summary["sets"]["distractor"]["sd_within_identity"] is None
    assert summary["images"] == 23
    assert summary["variants"] == 6
    assert summary["distractors_left_out"] == 0


def test_the_shards_and_their_order_change_no_byte(run: Run, tmp_path: Path) -> None:
    written = []
    for shards in ((SCORED[::2], [], SCORED[1::2]), (SCORED[::-1],)):
        run(shards=shards)
        written.append([(tmp_path / "out" / name).read_bytes() for name in ("quality.parquet", "quality.json")])
    assert written[0] == written[1]


@pytest.mark.parametrize(
    ("shards", "message"),
    [
        ((SCORED[2:],), r"images.parquet: 2 of 23 images have no features, the first is query/00.jpg"),
        ((), r"images.parquet: 23 of 23 images have no features"),
        ((SCORED, SCORED[:1]), r"1.parquet: query/00.jpg has features for the second time"),
    ],
)
def test_missing_and_repeated_images_are_named(run: Run, tmp_path: Path, shards, message: str) -> None:
    with pytest.raises(InputError, match=message):
        run(shards=shards)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", ["test/junk.jpg", "elsewhere.jpg"])
def test_features_of_junk_or_unknown_images_are_named(run: Run, name: str) -> None:
    features = made_up() | {name: np.ones((6, 6), np.float32)}
    with pytest.raises(InputError, match=rf"0.parquet: {name} is not an image of \S*images.parquet, or is junk there"):
        run(features=features, shards=([name, *SCORED],))


def test_features_of_two_lengths_are_named(make_index, make_shard, tmp_path: Path) -> None:
    short = {name: features[:, :5] for name, features in made_up().items()}
    paths = [make_shard("0.parquet", lines(made_up(), SCORED[:3])), make_shard("1.parquet", lines(short, SCORED[3:]), dim=5)]
    with pytest.raises(InputError, match=r"1.parquet: features of query/02.jpg|1.parquet: features of \S+ have length 5, those before 6"):
        score_quality(make_index(INDEX), paths, QualityConfig(), FAMILIES, tmp_path / "q.parquet", tmp_path / "q.json")


def test_a_reference_without_scale_is_an_error(run: Run) -> None:
    with pytest.raises(InputError, match=r"images.parquet: no reference for Q from the holdout images: the Q of all 4 images is 0, which gives no scale"):
        run(features=made_up() | {name: np.ones((6, 6), np.float32) for name in of_set("holdout")})
    query_only = [row for row in INDEX if row.get("split") == "query"]
    with pytest.raises(InputError, match="no reference for Q from the train images: no images"):
        run(index=query_only, shards=([row["image_id"] for row in query_only],))


def published(folder: Path, names: list[str]) -> str:
    values = "".join(f"{Path(name).name},{10 + number / 7}\n" for number, name in enumerate(names))
    (folder / "published.csv").write_text("file,q\n" + values)
    return str(folder / "published.csv")


UNIQUE = [row | {"image_id": row["image_id"].replace("/", f"/{row.get('split', 'train')}_")} for row in INDEX]  # base names must differ
NAMES = sorted(row["image_id"] for row in UNIQUE if not row.get("junk") and not row.get("distractor"))


def test_published_values_are_matched_by_base_name_and_distractors_left_out(run: Run, tmp_path: Path) -> None:
    rows, summary = run(index=UNIQUE, shards=(), source="published", published=published(tmp_path, [*NAMES, "other/unused.jpg"]))
    assert list(rows) == NAMES
    assert [row["q"] for row in rows.values()] == pytest.approx([10 + number / 7 for number in range(len(NAMES))])
    assert {row[key] for row in rows.values() for key in ("q_normalized", "q_raw", "mean_norm", "q_light", "q_noise")} == {None}
    assert all(row["q_z"] is not None for row in rows.values())
    assert summary["distractors_left_out"] == 2
    assert summary["sets"]["distractor"]["images"] == 0
    assert summary["variants"] is None
    assert summary["source"] == "published"


def test_a_distractor_with_a_published_value_stays(run: Run, tmp_path: Path) -> None:
    names = [*NAMES, next(row["image_id"] for row in UNIQUE if row.get("distractor"))]
    rows, summary = run(index=UNIQUE, shards=(), source="published", published=published(tmp_path, names))
    assert list(rows) == sorted(names) and rows[names[-1]]["q"] == pytest.approx(10 + len(NAMES) / 7)
    assert (summary["distractors_left_out"], summary["sets"]["distractor"]["images"]) == (1, 1)


def test_an_image_without_a_published_value_is_named(run: Run, tmp_path: Path) -> None:
    file = published(tmp_path, NAMES[1:])
    with pytest.raises(InputError, match=rf"published.csv: no value for 1 images of \S*images.parquet, the first is {NAMES[0]}"):
        run(index=UNIQUE, shards=(), source="published", published=file)


def test_two_images_of_one_name_do_not_share_a_published_value(run: Run, tmp_path: Path) -> None:
    file = published(tmp_path, NAMES)
    folder, name = NAMES[0].rsplit("/", 1)
    twice = [*UNIQUE, {**next(row for row in UNIQUE if row["image_id"] == NAMES[0]), "image_id": f"{folder}/again/{name}"}]
    with pytest.raises(InputError, match=rf"published.csv: {name} is the name of two images, {folder}/again/{name} and {NAMES[0]}"):
        run(index=twice, shards=(), source="published", published=file)


@pytest.mark.parametrize("values", [{"source": "published"}, {"published": "q.csv"}, {"normalize": "l1"}, {"mode": "pairs"}, {"norm": "l2"}])
def test_wrong_settings_are_refused(values: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        QualityConfig(**values)


def test_the_papers_mean_and_spread_from_the_published_values(run: Run, shared: Path) -> None:
    """11.109615 and 0.658360 are the constants of the original code; 0.556 of 0.659 is the spread within a test identity."""
    file = shared / "data" / "market1501" / "published_q.csv"
    records = loadmat(shared / "data" / "market1501" / "market_attribute.mat", squeeze_me=True)["market_attribute"]
    train = {int(str(pid)) for pid in records["train"].item()["image_index"].item()}
    listed = [line.split(",")[0] for line in file.read_text().splitlines()[1:]]
    index = [{"image_id": name, "pid": int(name[:4]), "split": "train" if int(name[:4]) in train else "gallery"} for name in listed]
    _, summary = run(index=index, shards=(), source="published", published=str(file))
    assert summary["reference"]["images"] == 12_936
    assert summary["reference"]["mean"] == pytest.approx(11.109615, abs=1e-6)
    assert summary["reference"]["sd"] == pytest.approx(0.658360, abs=1e-6)
    assert summary["sets"]["gallery"]["sd_within_identity"] == pytest.approx(0.556, abs=5e-4)
    assert summary["sets"]["gallery"]["sd"] == pytest.approx(0.659, abs=5e-4)
