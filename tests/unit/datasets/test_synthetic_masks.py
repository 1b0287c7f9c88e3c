"""Part masks against a slow reference."""

import numpy as np
import pytest

from qafm.datasets.synthetic.masks import HEAD_KEYPOINTS, part_fields
from qafm.datasets.synthetic.pifpaf_layout import KEYPOINTS, LIMBS, grid_shape
from qafm.datasets.synthetic.pose import Body, Joint, Pose, skeleton


@pytest.fixture(scope="module")
def joints() -> dict[str, Joint]:
    return skeleton(Body(0.45, 0.1, 0.045, 0.09, 0.06, 0.3, 0.03, 0.05, 0.05, 0.01), Pose(0.3, 1.0, 0.3, 0.3, 0.3, 0.0))


def test_the_grid_is_pifpafs() -> None:
    assert grid_shape(128, 64) == (17, 9)
    assert len(KEYPOINTS) == 17
    assert len(LIMBS) == 19
    assert {index for limb in LIMBS for index in limb} == set(range(1, 18))


def test_fields_against_a_loop(joints: dict[str, Joint]) -> None:
    origin, scale = (32.0, 6.0), (140.0, 115.0)
    fields = part_fields(joints, origin, scale, np.ones((128, 64), np.float32))
    assert fields.shape == (36, 17, 9)
    assert fields.dtype == np.float16
    place = {name: (origin[0] + scale[0] * joints[name].x, origin[1] + scale[1] * joints[name].y) for name in KEYPOINTS}
    sigma = 0.05 * scale[1]
    for row in range(17):
        for column in range(9):
            cell = np.array([8 * column, 8 * row])
            for number, name in enumerate(KEYPOINTS[HEAD_KEYPOINTS:], HEAD_KEYPOINTS):
                wanted = np.exp(-np.sum((cell - place[name]) ** 2) / (2 * sigma**2))
                assert fields[number, row, column] == pytest.approx(wanted, abs=2e-3)
            start, end = place["left hip"], place["left knee"]
            on_limb = min(np.hypot(*(cell - (np.array(start) + share * (np.array(end) - start)))) for share in np.linspace(0, 1, 400))
            limb = 17 + LIMBS.index((14, 12))
            assert fields[limb, row, column] == pytest.approx(np.exp(-(on_limb**2) / (2 * sigma**2)), abs=3e-3)


def test_fields_vanish_where_the_person_does_not_show(joints: dict[str, Joint]) -> None:
    visible = np.ones((128, 64), np.float32)
    visible[60:] = 0
    fields = part_fields(joints, (32.0, 6.0), (115.0, 115.0), visible)
    assert fields[:, 9:].max() == 0
    assert fields[:, :7].max() > 0.5


def test_the_face_is_hidden_from_behind() -> None:
    body = Body(0.45, 0.1, 0.045, 0.09, 0.06, 0.3, 0.03, 0.05, 0.05, 0.01)
    visible = np.ones((128, 64), np.float32)
    front, behind = (part_fields(skeleton(body, Pose(yaw, 0, 0, 0, 0, 0)), (32.0, 6.0), (115.0, 115.0), visible) for yaw in (0.0, np.pi))
    assert front[:3].max() > 0.3
    assert behind[:3].max() == 0
    assert behind[5:17].max() > 0.3
