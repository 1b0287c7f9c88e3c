import itertools

import numpy as np
import pytest

from qafm.companions.bpbreid.part_iou import part_iou


def places(seed: int, classes: int, n: int = 400) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    true = rng.integers(classes, size=n)
    return true, np.where(rng.random(n) < 0.6, true, rng.integers(classes, size=n))


def confusion(true: np.ndarray, predicted: np.ndarray, classes: int) -> np.ndarray:
    table = np.zeros((classes, classes), int)
    for one, other in zip(true, predicted, strict=True):
        table[one, other] += 1
    return table


def slow(true: np.ndarray, predicted: np.ndarray, parts: list[int]) -> float:
    values = [((true == part) & (predicted == part)).sum() / ((true == part) | (predicted == part)).sum() for part in parts]
    return 100 * float(np.mean(values))


def test_equals_sets_of_places() -> None:
    true, predicted = places(1, 5)
    found = part_iou(confusion(true, predicted, 5))
    assert found.named == pytest.approx(slow(true, predicted, [1, 2, 3, 4]))
    assert found.matched == pytest.approx(found.named)


def test_matched_is_the_best_of_all_assignments() -> None:
    true, predicted = places(2, 4)
    renamed = np.array([0, 3, 1, 2])[predicted]
    found = part_iou(confusion(true, renamed, 4))
    tried = [slow(true, np.array([0, *order])[renamed], [1, 2, 3]) for order in itertools.permutations((1, 2, 3))]
    assert found.matched == pytest.approx(max(tried)) and found.named == pytest.approx(slow(true, renamed, [1, 2, 3]))
    assert found.matched > found.named + 10


def test_parts_that_no_mask_shows_do_not_count_and_without_any_there_is_nothing_to_say() -> None:
    true, predicted = places(3, 4)
    true[true == 2] = 0
    assert part_iou(confusion(true, predicted, 4)).named == pytest.approx(slow(true, predicted, [1, 3]))
    assert part_iou(confusion(np.zeros(9, int), predicted[:9], 4)) == (None, None)
