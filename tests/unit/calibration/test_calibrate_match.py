"""Rule calibrate_match: which pairs count, no identity judges itself, and files without a model where nothing can be said."""

import json
import math
from collections.abc import Callable
from itertools import combinations
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from qafm.calibration.calibrate_match import calibrate_match, load_people
from qafm.calibration.fit import fit_polyline
from qafm.calibration.match_odds import read_calibration
from qafm.calibration.pairs import count_pairs, deal_folds
from qafm.calibration.reliability import CENTRES
from qafm.config.calibration import CalibrationConfig
from qafm.errors import InputError
from qafm.tables.calibration import CalibrationFile, Polyline, read_calibration_file
from qafm.tables.parquet import read_parquet, write_parquet
from tests.unit.calibration.conftest import Run

Make = Callable[..., Run]
CONFIG = CalibrationConfig(folds=3, identities=6, samples=25, bins=5)


def calibrated(run: Run, tmp_path: Path, config: CalibrationConfig = CONFIG, name: str = "calibration.json") -> CalibrationFile:
    calibrate_match(run.images, run.embeddings, run.head, dataset="made up", config=config, out=tmp_path / "out" / name)
    return read_calibration_file(tmp_path / "out" / name)


def slow_distances(run: Run, unseen: set[int]) -> tuple[list[float], list[float], set[tuple[int, int]]]:
    """Distances of pairs of one and of two people, and who the two are; image by image."""
    vectors, genuine, impostor, people = run.descriptors(), [], [], set()
    for i, j in combinations(range(len(run.pid)), 2):
        a, b = int(run.pid[i]), int(run.pid[j])
        if a in unseen and b in unseen and run.camid[i] != run.camid[j]:
            (genuine if a == b else impostor).append(float(np.linalg.norm(vectors[i] - vectors[j])))
            people |= {(min(a, b), max(a, b))} if a != b else set()
    return genuine, impostor, people


def test_all_cross_camera_pairs_of_unseen_people_count(make_run: Make, tmp_path: Path) -> None:
    run = make_run(people=12, cameras=3, known=2)
    found = calibrated(run, tmp_path)
    genuine, impostor, people = slow_distances(run, set(range(3, 13)))
    assert (found.genuine_pairs, found.impostor_pairs, found.identity_pairs) == (len(genuine), len(impostor), len(people))
    assert (found.identities, found.images, found.cameras) == (10, 60, 3)
    assert (
        found.set == "pairs of images from two cameras, of 10 test identities of made up (query and gallery without distractors) that no network was trained on"
    )
    assert found.reason is None and found.prior == 0.5
    calibration = read_calibration(tmp_path / "out" / "calibration.json")
    assert calibration is not None
    for distance in np.linspace(0.2, 1.9, 40):
        rate = calibration.at(float(distance)).false_match_rate
        low, high = (max(np.mean(np.array(impostor) <= distance + step), 1 / len(people)) for step in (-1e-5, 0.00101))
        assert low <= rate <= high
    for point in found.det:
        assert point.false_match_rate.value == pytest.approx(np.mean(np.array(impostor) <= point.distance), abs=2 / len(impostor))
        assert point.false_non_match_rate.value == pytest.approx(np.mean(np.array(genuine) > point.distance), abs=2 / len(genuine))
    assert calibration.at(np.quantile(genuine, 0.1)).probability > 0.7 > 0.3 > calibration.at(np.quantile(impostor, 0.9)).probability


def test_no_pair_is_judged_by_a_fit_that_knew_one_of_its_people(make_run: Make) -> None:
    run = make_run()
    people = load_people(run.images, run.embeddings, run.head)
    fold = deal_folds(people, 3, CONFIG.seed)
    names = np.unique(run.pid[run.pid > 0])
    moved = make_run(moved=tuple(int(pid) for pid in names[fold == 1]))  # other vectors for everybody in fold 1
    before = count_pairs(people, fold, 3)
    after = count_pairs(load_people(moved.images, moved.embeddings, moved.head), fold, 3)
    assert (before.impostor[1, 1] != after.impostor[1, 1]).any()
    for part in range(3):
        pairs = [np.concatenate(counts.without(part)) for counts in (before, after)]
        assert np.array_equal(*pairs) == (part == 1)
        lines = [fit_polyline(CENTRES, *counts.without(part), (-3, 3)) for counts in (before, after)]
        assert (lines[0] == lines[1]) == (part == 1)


def test_cllr_is_that_of_fits_that_knew_neither_of_a_pair_s_people(make_run: Make, tmp_path: Path) -> None:
    run = make_run()
    found = calibrated(run, tmp_path)
    people = load_people(run.images, run.embeddings, run.head)
    fold = deal_folds(people, 3, CONFIG.seed)
    counts, limits = count_pairs(people, fold, 3), (-math.log(12), math.log(found.identity_pairs))
    of, vectors = dict(zip(np.unique(run.pid[run.pid > 0]).tolist(), fold.tolist(), strict=True)), run.descriptors()

    def cllr(fits: list[Polyline]) -> float:
        costs: tuple[list[float], list[float]] = ([], [])
        for i, j in combinations(range(len(run.pid)), 2):
            a, b = int(run.pid[i]), int(run.pid[j])
            if a and b and of[a] == of[b] and run.camid[i] != run.camid[j]:
                llr = float(np.interp(np.linalg.norm(vectors[i] - vectors[j]), fits[of[a]].distance, fits[of[a]].llr))
                costs[a != b].append(math.log2(1 + math.exp(llr if a != b else -llr)))
        return float(np.mean(costs[0]) + np.mean(costs[1])) / 2

    without = [fit_polyline(CENTRES, *counts.without(part), limits) for part in range(3)]
    assert found.measures is not None and found.model is not None and found.model == fit_polyline(CENTRES, *counts.all(), limits)
    fair, by_all = cllr(without), cllr([found.model] * 3)
    assert found.measures.cllr.value == pytest.approx(fair, abs=0.002)
    assert abs(fair - by_all) > 0.004  # a fit that knew the people judges them otherwise


def test_the_settings_matter_and_equal_ones_give_equal_bytes(make_run: Make, tmp_path: Path) -> None:
    run = make_run()
    first = calibrated(run, tmp_path)
    again = calibrated(run, tmp_path, name="again.json")
    assert first == again
    assert (tmp_path / "out" / "calibration.json").read_bytes() == (tmp_path / "out" / "again.json").read_bytes()
    assert first.measures is not None
    changes = {"prior": 0.1, "bins": 3, "seed": 9, "samples": 10}
    other = {name: calibrated(run, tmp_path, CONFIG.model_copy(update={name: value})) for name, value in changes.items()}
    assert other["prior"].prior == 0.1 and other["prior"].model == first.model and other["prior"].reliability != first.reliability
    assert all(part.end - part.start == pytest.approx(1 / 3, abs=1e-5) for part in other["bins"].reliability)
    assert other["seed"].model == first.model and other["seed"].measures != first.measures
    assert other["samples"].measures is not None
    assert other["samples"].measures.cllr.value == first.measures.cllr.value and other["samples"].measures.cllr.low != first.measures.cllr.low
    assert calibrated(run, tmp_path, CONFIG.model_copy(update={"folds": 2})).measures != first.measures


@pytest.mark.parametrize(
    ("settings", "config", "reason"),
    [
        ({"blind": True}, CONFIG, "no test image of a known camera shows a person whom no network was trained on"),
        ({"known": 12}, CONFIG, "no test image of a known camera shows a person whom no network was trained on"),
        ({"cameras": 1}, CONFIG, "the test images are of one camera: there is no cross-camera pair"),
        ({}, CalibrationConfig(), "12 test identities were seen by two cameras, fewer than 20 (calibration.identities)"),
    ],
)
def test_without_cameras_or_people_the_file_says_so(
    make_run: Make, tmp_path: Path, settings: dict[str, object], config: CalibrationConfig, reason: str
) -> None:
    found = calibrated(make_run(**settings), tmp_path, config)
    assert found.reason == reason and found.model is None and found.measures is None
    assert read_calibration(tmp_path / "out" / "calibration.json") is None


def test_identical_images_make_no_pair(make_run: Make, tmp_path: Path) -> None:
    run = make_run(people=6)
    before = calibrated(run, tmp_path)
    table = read_parquet(run.images)
    ids = table["image_id"].to_pylist()
    copied = [
        "one content" if name in ("query/0001_c1_0.png", "gallery/0001_c2_0.png") else old for name, old in zip(ids, table["sha256"].to_pylist(), strict=True)
    ]
    write_parquet(run.images, table.set_column(table.schema.get_field_index("sha256"), table.schema.field("sha256"), pa.array(copied)))
    assert calibrated(run, tmp_path).genuine_pairs == before.genuine_pairs - 1


def test_bad_input_leaves_nothing_behind(make_run: Make, tmp_path: Path) -> None:
    run = make_run()
    run.embeddings.write_text("no Parquet")
    with pytest.raises(InputError, match=r"embeddings\.parquet: cannot be read as Parquet"):
        calibrated(run, tmp_path)
    assert not (tmp_path / "out").exists()


def test_the_file_is_plain_json(make_run: Make, tmp_path: Path) -> None:
    calibrated(make_run(), tmp_path)
    content = json.loads((tmp_path / "out" / "calibration.json").read_text())
    assert content["format"] == 1 and len(content["model"]["distance"]) == len(content["model"]["llr"]) > 2
    assert content["false_matches"]["pairs"][-1] == content["impostor_pairs"]


def test_fewer_than_two_identities_per_fold_are_refused() -> None:
    with pytest.raises(ValueError, match="identities: at least two per fold"):
        CalibrationConfig(folds=4, identities=7)
