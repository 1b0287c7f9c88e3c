"""PifPaf files: grouping against loops over names, and every way a file can be wrong."""

from pathlib import Path

import numpy as np
import pytest

from qafm.companions.bpbreid.part_fields import FIELDS, GROUPINGS, find_fields, group_fields, mirrored_channels, part_names, read_fields
from qafm.config.bpbreid import PARTS
from qafm.datasets.synthetic.pifpaf_layout import KEYPOINTS, LIMBS
from qafm.errors import InputError
from qafm.runtime.code_digest import import_closure

NAMES = [{name} for name in KEYPOINTS] + [{KEYPOINTS[a - 1], KEYPOINTS[b - 1]} for a, b in LIMBS]


def both(*members: str) -> list[set[str]]:
    """Keypoints `left x` and limbs `left x-left y`, and the same on the right."""
    return [set(member.replace("left", side).split("-")) for member in members for side in ("left", "right")]


def left(*members: str) -> list[set[str]]:
    return both(*members)[::2]


def right(*members: str) -> list[set[str]]:
    return both(*members)[1::2]


HEAD = [{"nose"}, {"left eye", "right eye"}, *both("left eye", "left ear", "left eye-nose", "left ear-left eye", "left ear-left shoulder")]
ARM = ("left shoulder", "left elbow", "left wrist", "left elbow-left shoulder", "left elbow-left wrist")
LEG = ("left knee", "left hip-left knee", "left ankle-left knee")
SHOULDERS, HIPS = {"left shoulder", "right shoulder"}, {"left hip", "right hip"}
# What each part consists of, written out.
MEMBERS = {
    ("five_v", 0): HEAD,
    ("five_v", 1): [SHOULDERS, *both("left shoulder", "left elbow", "left elbow-left shoulder")],
    ("five_v", 2): [HIPS, *both("left wrist", "left hip", "left elbow-left wrist", "left hip-left shoulder")],
    ("five_v", 3): both("left hip", *LEG),
    ("five_v", 4): both("left ankle"),
    ("eight", 0): HEAD,
    ("eight", 1): left(*ARM),
    ("eight", 2): right(*ARM),
    ("eight", 3): [SHOULDERS, HIPS, *both("left hip", "left hip-left shoulder")],
    ("eight", 4): left(*LEG),
    ("eight", 5): right(*LEG),
    ("eight", 6): left("left ankle"),
    ("eight", 7): right("left ankle"),
}


@pytest.mark.parametrize(("grouping", "part"), MEMBERS)
def test_a_part_is_the_maximum_of_its_fields(grouping: str, part: int) -> None:
    for index, name in enumerate(NAMES):
        fields = np.zeros((FIELDS, 1, 1), np.float32)
        fields[index] = 0.9
        found = group_fields(fields, grouping)[1 + part, 0, 0]
        others_alike = [other for other in range(PARTS[grouping]) if other > part and name in MEMBERS.get((grouping, other), [])]
        if name in MEMBERS[grouping, part] and not others_alike:
            assert found > 0.99, name
        elif name not in MEMBERS[grouping, part]:
            assert found < 0.01, name


@pytest.mark.parametrize("grouping", GROUPINGS)
def test_every_field_belongs_to_a_part_and_the_numbers_agree(grouping: str) -> None:
    assert len(part_names(grouping)) == PARTS[grouping] == len(GROUPINGS[grouping])
    for index in range(FIELDS):
        fields = np.zeros((FIELDS, 1, 1), np.float32)
        fields[index] = 0.9
        assert group_fields(fields, grouping)[0, 0, 0] < 0.01, NAMES[index]


def test_background_and_softmax_against_a_loop() -> None:
    fields = np.random.default_rng(1).random((FIELDS, 3, 2), np.float32) ** 9
    found = group_fields(fields, "eight")
    assert found.shape == (9, 3, 2) and found.dtype == np.float32
    singles = [[k for k in range(FIELDS) if NAMES[k] in MEMBERS["eight", part]] for part in range(8)]
    for y in range(3):
        for x in range(2):
            parts = [max(float(fields[k, y, x]) for k in singles[part]) for part in range(8)]
            scores = [1.0 if max(parts) < 0.5 else 0.0, *parts]
            weights = [np.exp(15 * score) for score in scores]
            np.testing.assert_allclose(found[:, y, x], np.array(weights) / sum(weights), rtol=1e-4)


@pytest.mark.parametrize(("confidence", "winner"), [(0.49, 0), (0.51, 1)])
def test_half_a_confidence_parts_a_part_from_the_background(confidence: float, winner: int) -> None:
    fields = np.zeros((FIELDS, 1, 1), np.float32)
    fields[0] = confidence
    assert group_fields(fields, "five_v")[:, 0, 0].argmax() == winner


def test_a_place_claimed_alike_goes_to_the_last_part() -> None:
    fields = np.zeros((FIELDS, 1, 2), np.float32)
    shin, ankle = NAMES.index({"left ankle", "left knee"}), NAMES.index({"left ankle"})
    fields[shin], fields[ankle, 0, 0], fields[ankle, 0, 1] = 0.8, 0.8, 0.7
    found = group_fields(fields, "five_v")
    assert found[:, 0, 0].argmax() == 5 and found[5, 0, 0] > 0.99  # around the ankle: the foot
    assert found[:, 0, 1].argmax() == 4


def test_left_and_right_change_places_in_a_mirror() -> None:
    assert mirrored_channels("five_v") == [0, 1, 2, 3, 4, 5]
    names = ["background", *part_names("eight")]
    swapped = [names[channel] for channel in mirrored_channels("eight")]
    assert swapped == ["background", "head", "right arm", "left arm", "torso", "right leg", "left leg", "right foot", "left foot"]


def test_both_ways_of_naming_a_file_are_found(tmp_path: Path) -> None:
    (tmp_path / "query").mkdir()
    assert find_fields(tmp_path, "query/1.jpg") is None
    (tmp_path / "query" / "1.jpg.npy").touch()
    assert find_fields(tmp_path, "query/1.jpg") == tmp_path / "query" / "1.jpg.npy"
    (tmp_path / "query" / "1.npy").touch()
    assert find_fields(tmp_path, "query/1.jpg") == tmp_path / "query" / "1.npy"


def test_a_file_is_read_and_clipped(tmp_path: Path) -> None:
    fields = np.linspace(-0.5, 1.5, FIELDS * 6).reshape(FIELDS, 3, 2)
    np.save(tmp_path / "a.npy", fields)
    found = read_fields(tmp_path / "a.npy")
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, np.clip(fields, 0, 1), atol=1e-6)


def test_wrong_files_are_named(tmp_path: Path) -> None:
    path = tmp_path / "a.npy"
    bad = np.zeros((FIELDS, 2, 2), np.float32)
    bad[7, 1, 0] = np.nan
    for content, message in (
        (np.zeros((35, 2, 2), np.float32), r"a\.npy: part masks must be a float array \[36, h, w\], this is float32 \[35, 2, 2\]"),
        (np.zeros((FIELDS, 4), np.float32), r"a\.npy: part masks must be .* this is float32 \[36, 4\]"),
        (np.zeros((FIELDS, 0, 4), np.float32), r"this is float32 \[36, 0, 4\]"),
        (np.zeros((FIELDS, 2, 2), np.uint8), r"this is uint8"),
        (bad, r"a\.npy: holds a value that is not finite, the first in field 7"),
    ):
        np.save(path, content)
        with pytest.raises(InputError, match=message):
            read_fields(path)
    header = b"\x93NUMPY\x01\x00\x76\x00{'descr': '<f4', 'fortran_order': False, 'shape': (36, 2, 2), }"
    for content in (b"", b"no array", header, header.replace(b"{", b"({").ljust(128), b"PK\x03\x04 a torn archive"):
        path.write_bytes(content)
        with pytest.raises(InputError, match=r"a\.npy: cannot be read as an array"):
            read_fields(path)
    np.savez(tmp_path / "b.npz", fields=bad)
    (tmp_path / "b.npz").rename(path)
    with pytest.raises(InputError, match=r"this is an archive"):
        read_fields(path)


def test_nothing_is_unpickled(tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple:
            return (Path.touch, (tmp_path / "sprung",))

    np.save(tmp_path / "a.npy", np.array([Trap()], object), allow_pickle=True)
    with pytest.raises(InputError, match=r"a\.npy: cannot be read as an array"):
        read_fields(tmp_path / "a.npy")
    assert not (tmp_path / "sprung").exists()


def test_a_training_does_not_depend_on_how_the_generator_draws_people() -> None:
    reached = {name for name in import_closure("qafm.companions.bpbreid.train_bpbreid") if name.startswith("qafm.datasets.synthetic.")}
    assert reached == {"qafm.datasets.synthetic.pifpaf_layout"}
