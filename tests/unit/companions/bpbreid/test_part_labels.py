from pathlib import Path

import numpy as np
import pytest
import torch

from qafm.companions.bpbreid.part_fields import FIELDS, group_fields, read_fields
from qafm.companions.bpbreid.part_labels import enlarge_maps, load_part_maps, map_labels, read_part_maps, stripe_labels
from qafm.errors import InputError


@pytest.mark.parametrize(("count", "rows"), [(1, 4), (5, 8), (5, 6), (6, 24), (4, 4), (3, 8)])
def test_stripes_end_at_rounded_shares(count: int, rows: int) -> None:
    expected = np.zeros((rows, 3), int)
    for i in range(count):
        expected[round(i * rows / count) : round((i + 1) * rows / count)] = i + 1
    np.testing.assert_array_equal(stripe_labels(count, rows, 3), expected)
    assert set(np.unique(expected)) == set(range(1, count + 1))


def test_a_file_on_pifpafs_grid_is_kept_as_it_is(tmp_path: Path) -> None:
    fields = np.random.default_rng(0).random((FIELDS, 17, 9), np.float32)
    np.save(tmp_path / "a.npy", fields)
    expected = np.round(255 * group_fields(read_fields(tmp_path / "a.npy"), "eight"))
    np.testing.assert_array_equal(read_part_maps(tmp_path / "a.npy", "eight", 128, 64), expected)


def test_another_grid_is_resized_corner_to_corner(tmp_path: Path) -> None:
    fields = np.zeros((FIELDS, 5, 5), np.float32)
    fields[0, :3] = 1  # the nose: head in the upper half
    np.save(tmp_path / "a.npy", fields)
    maps = read_part_maps(tmp_path / "a.npy", "five_v", 64, 32)
    assert maps.shape == (6, 9, 5) and maps.dtype == torch.uint8
    assert (maps[1, :5] > 250).all() and (maps[1, 6:] < 5).all() and (maps[0, 6:] > 250).all()
    assert 100 < int(maps[1, 5, 0]) < 155


def test_enlarged_maps_are_bilinear() -> None:
    maps = torch.tensor([[[[0, 100], [200, 60]]]], dtype=torch.uint8)
    large = enlarge_maps(maps, 5, 3)
    for y in range(5):
        for x in range(3):
            v, u = y / 4, x / 2
            expected = (1 - v) * ((1 - u) * 0 + u * 100) + v * ((1 - u) * 200 + u * 60)
            assert int(large[0, 0, y, x]) == pytest.approx(expected, abs=0.51)


def test_labels_are_what_lies_in_the_middle_of_a_cell() -> None:
    maps = torch.zeros(1, 3, 8, 4)
    maps[0, 1, :4], maps[0, 2, 4:, 2:] = 200, 250
    np.testing.assert_array_equal(map_labels(maps, 2, 2)[0], [[1, 1], [0, 2]])  # lower left: nothing, so background
    assert map_labels(maps.to(torch.uint8), 4, 1).tolist() == [[[1], [1], [2], [2]]]


def test_maps_are_loaded_in_the_order_asked_for_and_a_missing_one_is_named(masks: Path) -> None:
    names = ["train/003.png", "train/001.png"]
    maps = load_part_maps(masks, names, "five_v", 48, 24)
    assert maps.shape == (2, 6, 7, 4)
    assert torch.equal(maps[1], read_part_maps(masks / "train" / "001.npy", "five_v", 48, 24))
    assert not torch.equal(maps[0], maps[1])
    (masks / "train" / "003.npy").unlink()
    with pytest.raises(InputError, match=r"masks/train/003\.npy: no part masks of the image train/003\.png"):
        load_part_maps(masks, names, "five_v", 48, 24)
