"""The plan: who is seen where, and that nothing about an image's quality depends on who is in it."""

from collections import Counter, defaultdict
from collections.abc import Callable

import numpy as np
import pytest
from pydantic import ValidationError
from scipy.stats import chi2_contingency

from qafm.config.synthetic import SyntheticConfig
from qafm.datasets.synthetic.degrade import KINDS, NONE
from qafm.datasets.synthetic.plan import GALLERY, QUERY, TRAIN, Plan, Shot, draw_plan


@pytest.fixture(scope="module")
def plan() -> Plan:
    return draw_plan(SyntheticConfig(train_ids=150, test_ids=150))


def test_identities_are_disjoint_interleaved_and_complete(plan: Plan) -> None:
    assert sorted([*plan.train, *plan.test]) == list(range(1, 301))
    assert list(plan.train) == sorted(plan.train)
    assert min(plan.train) < max(plan.test)
    assert min(plan.test) < max(plan.train)
    pids = {folder: {shot.pid for shot in plan.shots if shot.folder == folder} for folder in (TRAIN, QUERY, GALLERY)}
    assert pids[TRAIN] == set(plan.train)
    assert pids[QUERY] == set(plan.test)
    assert pids[GALLERY] == set(plan.test) | {0, -1}


def test_file_names_are_markets_and_unique(plan: Plan) -> None:
    names = [(shot.folder, shot.stem) for shot in plan.shots]
    assert len(set(names)) == len(names)
    assert names == sorted(names)
    for shot in plan.shots:
        assert (shot.box == 0) == (shot.folder == QUERY)
        assert 1 <= shot.camera <= 6
        assert 1 <= shot.sequence <= 6
        assert 0 <= shot.frame <= 999999
    assert {len(stem) for _, stem in names} == {len("0001_c1s1_000001_00"), len("-1_c1s1_000001_00")}


def test_every_query_has_a_match_in_another_camera_and_is_alone_in_its_own(plan: Plan) -> None:
    seen = defaultdict(set)
    for shot in plan.shots:
        if shot.folder == GALLERY:
            seen[shot.pid].add(shot.camera)
    queries = [(shot.pid, shot.camera) for shot in plan.shots if shot.folder == QUERY]
    assert len(set(queries)) == len(queries)
    assert all(len(seen[pid] - {camera}) >= 1 for pid, camera in queries)
    assert all(2 <= len(cameras) <= 5 for cameras in seen.values() if len(cameras) < 6)


def test_default_sizes_are_as_stated() -> None:
    plan = draw_plan(SyntheticConfig())
    counts = Counter(shot.folder for shot in plan.shots)
    assert 950 <= counts[TRAIN] <= 1250
    assert 150 <= counts[QUERY] <= 270
    assert Counter(shot.pid for shot in plan.shots)[0] == SyntheticConfig().distractors
    assert Counter(shot.pid for shot in plan.shots)[-1] == 20
    assert 300 <= counts[GALLERY] - 170 <= 600


@pytest.mark.parametrize("column", ["degraded", "kind"])
def test_degradations_are_independent_of_identity_camera_and_split(plan: Plan, column: str) -> None:
    labelled = [shot for shot in plan.shots if shot.pid > 0]
    kinds = (NONE, *KINDS)

    def value(shot: Shot) -> int:
        return int(shot.degradation != NONE) if column == "degraded" else kinds.index(shot.degradation)

    for factor in ("camera", "folder", "vector"):
        groups = defaultdict(lambda: np.zeros(2 if column == "degraded" else len(kinds)))
        for shot in labelled:
            key = plan.people[shot.person].tobytes()[:4] if factor == "vector" else getattr(shot, factor)
            groups[key][value(shot)] += 1
        table = np.stack([counts for counts in groups.values() if counts.sum() > 60])
        assert chi2_contingency(table).pvalue > 0.005, factor
    counts = defaultdict(lambda: np.zeros(2))
    for shot in labelled:
        counts[shot.pid][int(shot.degradation != NONE)] += 1
    assert chi2_contingency(np.stack(list(counts.values()))).pvalue > 0.005


def test_levels_are_recorded(plan: Plan) -> None:
    levels = np.array([shot.level for shot in plan.shots if shot.degradation != NONE])
    assert levels.min() >= 0.1
    assert levels.max() <= 1
    assert 0.5 < levels.mean() < 0.6
    assert all(shot.level == 0 for shot in plan.shots if shot.degradation == NONE)
    assert np.mean([shot.degradation != NONE for shot in plan.shots]) == pytest.approx(SyntheticConfig().degraded, abs=0.04)


def test_distractors_share_attributes_with_test_identities_but_are_other_people(plan: Plan) -> None:
    vectors = {vector.tobytes() for vector in plan.test.values()}
    strangers = [shot for shot in plan.shots if shot.pid == 0]
    assert all(shot.person.startswith("other-") for shot in strangers)
    assert all(plan.people[shot.person].tobytes() in vectors for shot in strangers)
    assert 0.2 < np.mean([shot.fragment for shot in strangers]) < 0.5


@pytest.mark.parametrize(
    ("field", "value", "measure"),
    [
        ("cameras", 3, lambda plan: len({shot.camera for shot in plan.shots})),
        ("max_cameras_per_id", 2, lambda plan: max(len({s.camera for s in plan.shots if s.pid == pid}) for pid in plan.train)),
        ("train_images_per_camera", 5.0, lambda plan: sum(shot.folder == TRAIN for shot in plan.shots)),
        ("gallery_images_per_camera", 5.0, lambda plan: sum(shot.folder == GALLERY for shot in plan.shots)),
        ("distractors", 7, lambda plan: sum(shot.pid == 0 for shot in plan.shots)),
        ("junk", 3, lambda plan: sum(shot.pid == -1 for shot in plan.shots)),
        ("degraded", 0.9, lambda plan: sum(shot.degradation != NONE for shot in plan.shots)),
        ("max_level", 0.3, lambda plan: max(shot.level for shot in plan.shots)),
        ("occlusion", 4.0, lambda plan: sum(shot.degradation == "occlusion" for shot in plan.shots)),
        ("shared_attributes", 0.1, lambda plan: len({vector.tobytes() for vector in plan.train.values()})),
        ("seed", 2, lambda plan: tuple(plan.train)),
    ],
)
def test_every_setting_of_the_plan_changes_it(field: str, value: float, measure: Callable[[Plan], object]) -> None:
    small = SyntheticConfig(train_ids=20, test_ids=20)
    assert measure(draw_plan(small.model_copy(update={field: value}))) != measure(draw_plan(small))


def test_two_cameras_and_eight_identities_are_enough() -> None:
    plan = draw_plan(SyntheticConfig(train_ids=4, test_ids=4, cameras=2, distractors=0, junk=0))
    assert {shot.camera for shot in plan.shots} == {1, 2}
    assert {shot.pid for shot in plan.shots} == set(range(1, 9))


def test_too_few_or_too_many_identities_are_refused() -> None:
    with pytest.raises(ValidationError, match="at least 8"):
        SyntheticConfig(train_ids=3, test_ids=4)
    with pytest.raises(ValidationError, match="at most 9999"):
        SyntheticConfig(train_ids=9000, test_ids=1000)
