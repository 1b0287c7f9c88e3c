import numpy as np
import pytest

from qafm.companions.par.query_gallery import choose_queries
from qafm.evaluation.ranking import Labels

# Identity 1: three images in camera 1, two in camera 2. 2: one image in each of two cameras. 3: one image. 4: two images without a camera.
PIDS = [1, 1, 1, 1, 1, 2, 2, 3, 4, 4]
CAMIDS = [1, 1, 1, 2, 2, 1, 2, 1, -1, -1]
LABELS = Labels(np.array(PIDS), np.array(CAMIDS), np.array([f"image_{i}" for i in range(10)]))


def counts(chosen: np.ndarray) -> dict[tuple[int, int], int]:
    keys = sorted(set(zip(PIDS, CAMIDS, strict=True)))
    return {key: sum(bool(c) for c, p, cam in zip(chosen, PIDS, CAMIDS, strict=True) if (p, cam) == key) for key in keys}


@pytest.mark.parametrize(
    ("per_camera", "expected"),
    [(1, [1, 1, 1, 0, 0, 1]), (2, [2, 2, 1, 0, 0, 1]), (9, [3, 1, 1, 0, 0, 1])],
)
def test_queries_per_camera_with_an_image_left_for_the_gallery(per_camera: int, expected: list[int]) -> None:
    found = counts(choose_queries(LABELS, per_camera, 1))
    assert found == dict(zip([(1, 1), (1, 2), (2, 1), (2, 2), (3, 1), (4, -1)], expected, strict=True))


def test_the_draw_depends_on_seed_and_names_alone() -> None:
    one = set(LABELS.image_id[choose_queries(LABELS, 1, 1)])
    order = np.random.default_rng(1).permutation(10)
    shuffled = LABELS.take(order)
    assert set(shuffled.image_id[choose_queries(shuffled, 1, 1)]) == one
    assert any(set(LABELS.image_id[choose_queries(LABELS, 1, seed)]) != one for seed in (2, 3, 4))
