"""Control experiments against hand-computed cases."""

import csv
from itertools import permutations
from pathlib import Path

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from qafm.config.choices import SameCamera
from qafm.config.controls import ControlsConfig
from qafm.errors import InputError
from qafm.evaluation.chance import chance_level, expected_average_precision
from qafm.evaluation.colour_histogram import background, colour_histogram, stripe_histograms
from qafm.evaluation.measure_controls import measure_controls
from qafm.evaluation.ranking import Labels
from qafm.tables.attributes import ATTRIBUTE_NAMES
from qafm.tables.images import IMAGES_SCHEMA
from qafm.tables.parquet import read_parquet, write_parquet

RED, GREEN, BLUE = (220, 30, 30), (30, 200, 30), (30, 30, 220)
# image_id, split, pid, camid, colour of the person, colour of the ground, upper colour code; junk would spoil every ranking if it were ranked
ROWS = (
    ("query/0001_c1s1_000001_00.jpg", "query", 1, 1, RED, GREEN, 2),
    ("query/0002_c1s1_000001_00.jpg", "query", 2, 1, BLUE, GREEN, 6),
    ("bounding_box_test/0001_c1s1_000009_01.jpg", "gallery", 1, 1, RED, GREEN, 2),
    ("bounding_box_test/0001_c2s1_000002_01.jpg", "gallery", 1, 2, RED, BLUE, 2),
    ("bounding_box_test/0002_c2s1_000002_01.jpg", "gallery", 2, 2, BLUE, RED, 6),
    ("bounding_box_test/0000_c2s1_000002_01.jpg", "gallery", 0, 2, RED, GREEN, 2),
    ("bounding_box_test/-1_c2s1_000002_01.jpg", "gallery", -1, 2, RED, GREEN, 2),
    ("bounding_box_train/0003_c2s1_000002_01.jpg", "train", 3, 2, RED, GREEN, 2),
)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    rows, lines = [], [["path", *ATTRIBUTE_NAMES]]
    for name, split, pid, camid, person, ground, code in ROWS:
        picture, mask = np.full((32, 16, 3), ground, np.uint8), np.zeros((32, 16), np.uint8)
        picture[:, 4:12], mask[:, 4:12] = person, 255
        for path, content in ((tmp_path / "raw" / name, picture[..., ::-1]), (tmp_path / "raw/masks/person" / name, mask)):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.with_suffix(".png").write_bytes(cv2.imencode(".png", content)[1].tobytes())
        row = {field.name: None for field in IMAGES_SCHEMA} | {"image_id": name, "path": str((tmp_path / "raw" / name).with_suffix(".png")), "split": split}
        rows.append(row | {"pid": pid, "camid": camid, "junk": pid == -1, "distractor": pid == 0, "sha256": name, "height": 32, "width": 16})
        lines.append([name, *["0"] * 10, str(code) if code != 6 else "", "0"])
    write_parquet(tmp_path / "images.parquet", pa.Table.from_pylist(sorted(rows, key=lambda row: row["image_id"]), IMAGES_SCHEMA))
    with (tmp_path / "manifest.csv").open("w", newline="") as stream:
        csv.writer(stream).writerows(lines)
    return tmp_path


def measured(data: Path, same_camera: SameCamera = "drop", **settings: int) -> dict[str, dict[str, float]]:
    config = ControlsConfig(**{"background_margin": 0, **settings})
    measure_controls(data / "images.parquet", data / "raw", data / "manifest.csv", data / "controls.csv", config, same_camera)
    with (data / "controls.csv").open(newline="") as stream:
        return {row.pop("control"): {key: float(value) for key, value in row.items()} for row in csv.DictReader(stream)}


def test_against_a_hand_count(data: Path) -> None:
    rows = measured(data, repeats=400)
    assert list(rows) == ["chance", "background_only", "hsv_histogram", "hsv_histogram_stripes", "hsv_histogram_person", "true_attribute_hamming"]
    assert all(row["n_queries"] == 2 for row in rows.values())
    # Query 1 ranks 3 images (its own camera's is removed), query 2 ranks 4; one right each: AP is (1 + 1/2 + 1/3) / 3 and (1 + 1/2 + 1/3 + 1/4) / 4 on average
    wanted = 100 * ((11 / 6) / 3 + (25 / 12) / 4) / 2
    assert rows["chance"]["chance_mAP"] == pytest.approx(wanted, abs=1e-3)
    assert rows["chance"]["chance_rank1"] == pytest.approx(100 * (1 / 3 + 1 / 4) / 2, abs=1e-3)
    assert rows["chance"]["mAP"] == pytest.approx(wanted, abs=3)
    assert rows["chance"]["rank1"] == pytest.approx(100 * (1 / 3 + 1 / 4) / 2, abs=4)
    # Grounds: query 1 sees only the distractor's green, a tie at 0 follows in gallery order, 0001 before 0002; query 2 has two greens before two zeros
    assert rows["background_only"]["mAP"] == pytest.approx(100 * (1 / 2 + 1 / 4) / 2, abs=1e-3)
    # Persons: query 1 ties with the distractor, which comes first in the gallery; query 2 is unique
    assert rows["hsv_histogram_person"]["mAP"] == pytest.approx(100 * (1 / 2 + 1) / 2, abs=1e-3)
    # Attributes: query 1 ties with the distractor, in random order; several colours (empty) match only several colours
    assert rows["true_attribute_hamming"]["mAP"] == pytest.approx(100 * (0.75 + 1) / 2, abs=2)
    assert rows["true_attribute_hamming"]["rank1"] == pytest.approx(100 * (0.5 + 1) / 2, abs=4)


def test_where_the_own_camera_counts_query_1_has_two_right_images_among_four(data: Path) -> None:
    rows = measured(data, same_camera="keep", repeats=400)
    two, one = np.mean([np.mean([1 / (a + 1), 2 / (b + 1)]) for a in range(4) for b in range(a + 1, 4)]), (1 + 1 / 2 + 1 / 3 + 1 / 4) / 4
    assert rows["chance"]["chance_mAP"] == pytest.approx(100 * (two + one) / 2, abs=1e-3)
    assert rows["chance"]["chance_rank1"] == pytest.approx(100 * (2 / 4 + 1 / 4) / 2, abs=1e-3)
    assert rows["chance"]["mAP"] == pytest.approx(rows["chance"]["chance_mAP"], abs=3)
    # Persons: query 1 has three red ones first, the distractor before its own two
    assert rows["hsv_histogram_person"]["mAP"] == pytest.approx(100 * ((1 / 2 + 2 / 3) / 2 + 1) / 2, abs=1e-3)


def test_same_settings_same_bytes_and_another_seed_another_chance(data: Path) -> None:
    first = measured(data, repeats=3)
    assert measured(data, repeats=3) == first
    assert measured(data, repeats=3, seed=5)["chance"]["mAP"] != first["chance"]["mAP"]
    assert measured(data, repeats=50)["chance"]["mAP"] != first["chance"]["mAP"]


def test_settings_change_the_histograms() -> None:
    rng = np.random.default_rng(0)
    image = rng.integers(0, 256, (32, 16, 3), dtype=np.uint8)
    assert len(colour_histogram(image, (5, 3, 2))) == 30
    assert len(stripe_histograms(image, (5, 3, 2), 4)) == 120
    for vector in (colour_histogram(image, (5, 3, 2)), stripe_histograms(image, (5, 3, 2), 7)):
        assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-5)
    mask = np.zeros((9, 9), np.uint8)
    mask[4, 4] = 200
    assert background(mask, 0).sum() == 80
    assert background(mask, 2).sum() == 81 - 25
    assert colour_histogram(image, (2, 2, 2), np.zeros((32, 16), bool)).sum() == 0


def test_histogram_against_a_loop() -> None:
    image = np.random.default_rng(1).integers(0, 256, (8, 6, 3), dtype=np.uint8)
    where = np.arange(48).reshape(8, 6) % 3 == 0
    hsv, counts = cv2.cvtColor(image, cv2.COLOR_RGB2HSV), np.zeros((6, 4, 2))
    for row, column in zip(*np.nonzero(where), strict=True):
        h, s, v = hsv[row, column].astype(int)
        counts[h * 6 // 180, s * 4 // 256, v * 2 // 256] += 1
    assert colour_histogram(image, (6, 4, 2), where) == pytest.approx(np.sqrt(counts.ravel() / counts.sum()), abs=1e-6)


@pytest.mark.parametrize(("ranked", "right"), [(1, 1), (4, 1), (5, 2), (6, 6)])
def test_expected_average_precision_against_all_orders(ranked: int, right: int) -> None:
    values = []
    for order in set(permutations([1] * right + [0] * (ranked - right))):
        hits = np.flatnonzero(order)
        values.append(np.mean([(k + 1) / (place + 1) for k, place in enumerate(hits)]))
    assert expected_average_precision(ranked, right) == pytest.approx(np.mean(values))


def test_chance_leaves_out_queries_without_a_match() -> None:
    query = Labels(np.array([1, 2]), np.array([1, 1]), np.array(["a", "b"]))
    gallery = Labels(np.array([1, 2, 0]), np.array([2, 1, 1]), np.array(["c", "d", "e"]))
    assert chance_level(query, gallery, "drop") == pytest.approx(((1 + 1 / 2 + 1 / 3) / 3, 1 / 3))


def test_a_table_without_queries_is_named(data: Path) -> None:
    table = read_parquet(data / "images.parquet")
    write_parquet(data / "images.parquet", table.filter(pc.not_equal(table["split"], "query")))
    with pytest.raises(InputError, match=r"images\.parquet: has 0 query and 4 gallery images"):
        measured(data)


def test_a_missing_or_damaged_mask_is_named(data: Path) -> None:
    mask = data / "raw/masks/person/query/0002_c1s1_000001_00.png"
    for damage in (mask.unlink, mask.touch, lambda: mask.write_bytes(b"no picture")):
        damage()
        with pytest.raises(InputError, match=r"0002_c1s1_000001_00\.png: no readable person mask of 32 x 16"):
            measured(data)
    assert not (data / "controls.csv").exists()


def test_a_missing_row_or_column_of_the_manifest_is_named(data: Path) -> None:
    lines = (data / "manifest.csv").read_text().splitlines()
    (data / "manifest.csv").write_text("\n".join(line for line in lines if not line.startswith("query/0001")) + "\n")
    with pytest.raises(InputError, match=r"manifest\.csv: has no row for query/0001"):
        measured(data)
    for damage in ("path,gender\nx,1\n", lines[0] + "\n" + ",".join(["x"] * len(lines[0].split(","))) + "\n"):
        (data / "manifest.csv").write_text(damage)
        with pytest.raises(InputError, match=r"manifest\.csv: is no manifest"):
            measured(data)
    (data / "manifest.csv").unlink()
    with pytest.raises(InputError, match=r"manifest\.csv: is no manifest"):
        measured(data)
