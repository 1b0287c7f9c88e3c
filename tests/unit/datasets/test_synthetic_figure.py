"""The person: what is drawn where, from which side."""

import numpy as np
import pytest

from qafm.config.synthetic import SyntheticConfig
from qafm.datasets.synthetic import attributes as a
from qafm.datasets.synthetic.figure import draw_figure
from qafm.datasets.synthetic.identities import Identity, draw_identity
from qafm.datasets.synthetic.palette import NAMED, draw_shade, lab_to_rgb, nearest_name
from qafm.datasets.synthetic.patterns import KINDS, Pattern, pattern_weight
from qafm.datasets.synthetic.pose import Body, Pose, skeleton
from qafm.datasets.synthetic.seeding import generator
from qafm.datasets.synthetic.tube import Canvas, Tube, paint

FRONT, BEHIND = 0.0, np.pi
PLAIN = np.array([0, 0, 1, 0, 1, 0, 0, 0, 0, 1, 1, 0], np.int8)  # a young man in a white shirt and black trousers


def with_code(**codes: int) -> np.ndarray:
    vector = PLAIN.copy()
    for name, code in codes.items():
        vector[getattr(a, name)] = code
    return vector


def drawn(person: Identity, yaw: float, stride: float = 0.2) -> Canvas:
    canvas = Canvas(256, 128, 225.0, (64.0, 16.0), (0.0, -0.4, 0.92))
    draw_figure(canvas, person, Pose(yaw, 1.0, stride, 0.2, 0.2, 0.0))
    return canvas


def person(vector: np.ndarray, name: str = "somebody", **settings: float) -> Identity:
    return draw_identity(name, vector, SyntheticConfig(**settings))


def test_a_tube_covers_its_area_and_nothing_else() -> None:
    canvas = Canvas(100, 60, 100.0, (0.0, 0.0), (0.0, 0.0, 1.0))
    paint(canvas, Tube((0.3, 0.2), (0.3, 0.8), (0.1, 0.1), np.array([1.0, 0.5, 0.0]), round_start=False, round_end=False))
    assert canvas.alpha.sum() == pytest.approx(60 * 20, rel=0.01)
    assert canvas.alpha[22:78, 22:38].min() == 1
    assert canvas.alpha[:18].max() == canvas.alpha[:, :18].max() == 0
    ratio = canvas.rgb[50, 30] / canvas.rgb[50, 30, 0]
    assert ratio == pytest.approx([1, 0.5, 0], abs=1e-5)
    assert canvas.rgb[50, 30, 0] > canvas.rgb[50, 21, 0] * 1.1  # round: darker towards its edge


def test_a_tube_outside_the_canvas_paints_nothing() -> None:
    canvas = Canvas(20, 20, 20.0, (0.0, 0.0), (0.0, 0.0, 1.0))
    paint(canvas, Tube((3.0, 3.0), (3.0, 4.0), (0.1, 0.1), np.ones(3)))
    paint(canvas, Tube((0.5, 0.5), (0.5, 0.5), (0.1, 0.1), np.ones(3)))
    assert canvas.alpha.max() == 0


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_patterns_are_weights(kind: str) -> None:
    around, along = np.meshgrid(np.linspace(-0.3, 0.3, 60), np.linspace(0, 0.35, 50))
    weight = pattern_weight(Pattern(kind), around, along)
    assert weight.shape == around.shape
    assert 0 <= weight.min() <= weight.max() <= 1
    assert (weight.max() > 0.4) == (kind != "plain")
    wider = pattern_weight(Pattern(kind, period=0.09, duty=0.6, around=0.03, along=0.2, size=0.08), around, along)
    assert kind in ("plain", "half") or not np.allclose(wider, weight)


@pytest.mark.parametrize("spread", [0.0, 1.0, 2.0])
def test_shades_stay_within_their_named_colour(spread: float) -> None:
    names, rng = tuple(NAMED), generator("shades")
    for name in names:
        shades = [draw_shade(name, names, spread, rng) for _ in range(40)]
        assert all(nearest_name(shade, names) == name for shade in shades)
        assert (np.std(shades) > 0) == (np.std([NAMED[name]]) > 0)
        assert (len({shade.tobytes() for shade in shades}) == 1) == (spread == 0)


def test_a_backpack_shows_from_behind() -> None:
    carrier, other = person(with_code(BACKPACK=1)), person(PLAIN)
    changed = [np.abs(drawn(carrier, yaw).rgb - drawn(other, yaw).rgb).max(2) > 0.1 for yaw in (FRONT, BEHIND)]
    assert changed[1].sum() > 2.5 * changed[0].sum() > 0  # from the front there are the straps


@pytest.mark.parametrize(
    "codes",
    [
        {"HAIR": 1},
        {"UP": 0},
        {"DOWN": 1},
        {"CLOTHES": 0},
        {"HAT": 1},
        {"BACKPACK": 1},
        {"BAG": 1},
        {"HANDBAG": 1},
        {"UP_COLOR": 2},
        {"DOWN_COLOR": 8},
        {"AGE": 3},
        {"GENDER": 1},
        {"UP_COLOR": -1},
    ],
)
def test_every_attribute_shows(codes: dict[str, int]) -> None:
    pictures = [np.concatenate([drawn(person(vector), yaw).rgb for yaw in (FRONT, 1.5, BEHIND)]) for vector in (PLAIN, with_code(**codes))]
    assert (np.abs(pictures[0] - pictures[1]).max(2) > 0.08).sum() > 100


def test_shirt_and_trousers_have_their_colours() -> None:
    canvas = drawn(person(with_code(UP_COLOR=2, DOWN_COLOR=6), texture=0.0), BEHIND)
    shirt, trousers = canvas.rgb[75:120, 54:74].mean((0, 1)), canvas.rgb[150:170, 50:78].sum((0, 1))
    assert shirt.argmax() == 0
    assert trousers.argmax() == 2


def test_twins_in_attributes_differ_in_looks() -> None:
    first, second = (drawn(person(PLAIN, name), FRONT).rgb for name in ("one", "two"))
    again = drawn(person(PLAIN, "one"), FRONT).rgb
    assert np.array_equal(first, again)
    assert (np.abs(first - second).max(2) > 0.1).sum() > 500


def test_texture_zero_leaves_one_colour_per_garment() -> None:
    plain, patterned = (person(PLAIN, "three", texture=texture).upper for texture in (0.0, 1.0))
    assert plain.second == pytest.approx(plain.main, abs=1e-6)
    assert np.abs(patterned.second - patterned.main).max() > 0.05


def test_shape_zero_gives_everybody_the_same_body() -> None:
    bodies = [person(PLAIN, name, shape=0.0).body for name in ("one", "two")]
    assert bodies[0] == bodies[1]
    assert person(PLAIN, "one").body != person(PLAIN, "two").body


def test_left_and_right_swap_when_seen_from_behind() -> None:
    body = Body(0.45, 0.1, 0.045, 0.09, 0.06, 0.3, 0.03, 0.05, 0.05, 0.01)
    front, behind, side = (skeleton(body, Pose(yaw, 0.0, 0.0, 0.0, 0.0, 0.0)) for yaw in (FRONT, BEHIND, np.pi / 2))
    assert front["left shoulder"].x > 0.05 > -0.05 > front["right shoulder"].x
    assert behind["left shoulder"].x == pytest.approx(-front["left shoulder"].x, abs=1e-6)
    assert side["left shoulder"].depth < -0.05 < 0.05 < side["right shoulder"].depth  # walking to the right, the left side is the far one
    assert side["nose"].x > 0.04
    assert all(0 <= joint.y <= 1 for joint in front.values())


def test_lab_of_grey_is_grey() -> None:
    assert lab_to_rgb((53.585, 0, 0)) == pytest.approx([0.5, 0.5, 0.5], abs=0.003)
