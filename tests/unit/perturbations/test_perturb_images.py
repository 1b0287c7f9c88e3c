import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from qafm.config.perturb import PerturbConfig
from qafm.errors import InputError
from qafm.perturbations import perturb_images as stage
from qafm.perturbations.perturb_images import perturb_images
from qafm.perturbations.stack import perturb
from qafm.tables.parquet import read_parquet, write_parquet
from qafm.tables.perturbed import PERTURBED_SCHEMA

Picture = Callable[..., np.ndarray]
SMALL = PerturbConfig(occlusion_sizes=(), background_scales=())


@pytest.fixture
def pixels(any_picture: Picture) -> dict[str, np.ndarray]:
    """Seven images of two sizes, one of them with a name that is not ASCII."""
    return {f"train/{name}.png": any_picture(12 + number % 2, 6, number) for number, name in enumerate("abcdefü")}


def read(path: Path, config: PerturbConfig = SMALL) -> dict[str, np.ndarray]:
    rows = read_parquet(path, PERTURBED_SCHEMA).to_pylist()
    return {row["image_id"]: np.frombuffer(row["variants"], np.uint8).reshape(1 + config.variants, row["height"], row["width"], 3) for row in rows}


def test_a_row_per_image_with_the_whole_stack(make_index, pixels: dict[str, np.ndarray], tmp_path: Path) -> None:
    config = PerturbConfig()
    perturb_images(make_index(pixels), config, 0, 1, tmp_path / "new" / "0.parquet")
    stacks = read(tmp_path / "new" / "0.parquet", config)
    assert list(stacks) == sorted(pixels)
    for image_id, stack in stacks.items():
        assert (stack[0] == pixels[image_id]).all()
        assert (stack == perturb(pixels[image_id], image_id, config)).all()


def test_shards_take_every_nth_row_and_junk_counts_but_is_left_out(make_index, pixels: dict[str, np.ndarray], tmp_path: Path) -> None:
    index = make_index(pixels, junk={"train/b.png", "train/c.png"})
    for shard in range(3):
        perturb_images(index, SMALL, shard, 3, tmp_path / f"{shard}.parquet")
    names = [[Path(image_id).stem for image_id in read(tmp_path / f"{shard}.parquet")] for shard in range(3)]
    assert names == [["a", "d", "ü"], ["e"], ["f"]]


def test_an_image_has_the_same_bytes_in_any_shard(make_index, pixels: dict[str, np.ndarray], tmp_path: Path) -> None:
    index = make_index(pixels)
    perturb_images(index, SMALL, 0, 1, tmp_path / "all.parquet")
    perturb_images(index, SMALL, 1, 2, tmp_path / "half.parquet")
    everything = read(tmp_path / "all.parquet")
    for image_id, stack in read(tmp_path / "half.parquet").items():
        assert (stack == everything[image_id]).all()


def test_twice_the_same_bytes(make_index, pixels: dict[str, np.ndarray], tmp_path: Path) -> None:
    index = make_index(pixels)
    for name in ("1.parquet", "2.parquet"):
        perturb_images(index, SMALL, 0, 2, tmp_path / name)
    first, second = (hashlib.sha256((tmp_path / name).read_bytes()).hexdigest() for name in ("1.parquet", "2.parquet"))
    assert first == second


def test_a_shard_without_images_is_an_empty_table(make_index, pixels: dict[str, np.ndarray], tmp_path: Path) -> None:
    perturb_images(make_index(pixels), SMALL, 8, 9, tmp_path / "8.parquet")
    assert len(read_parquet(tmp_path / "8.parquet", PERTURBED_SCHEMA)) == 0


def test_row_groups_are_bounded_in_images_and_bytes(make_index, pixels: dict[str, np.ndarray], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    index = make_index(pixels)
    whole = read_groups(index, tmp_path / "0.parquet")
    monkeypatch.setattr(stage, "GROUP_IMAGES", 3)
    few = read_groups(index, tmp_path / "1.parquet")
    monkeypatch.setattr(stage, "GROUP_BYTES", 11 * (12 + 13) * 6 * 3)  # two images of 12 and 13 rows, 11 variants
    monkeypatch.setattr(stage, "GROUP_IMAGES", 16)
    pairs = read_groups(index, tmp_path / "2.parquet")
    monkeypatch.setattr(stage, "GROUP_BYTES", 1)
    single = read_groups(index, tmp_path / "3.parquet")
    assert (whole, few, pairs, single) == ([7], [3, 3, 1], [2, 2, 2, 1], [1] * 7)
    assert len({str({k: v.tobytes() for k, v in read(tmp_path / f"{k}.parquet").items()}) for k in range(4)}) == 1


def read_groups(index: Path, out: Path) -> list[int]:
    """Rows of each row group of the shard."""
    perturb_images(index, SMALL, 0, 1, out)
    metadata = pq.ParquetFile(out).metadata
    return [metadata.row_group(group).num_rows for group in range(metadata.num_row_groups)]


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda path: path.write_bytes(path.read_bytes() + b"x"), "changed since it was indexed in .*images.parquet"),
        (lambda path: path.unlink(), "cannot be read"),
    ],
)
def test_a_changed_or_missing_image_is_named_and_nothing_is_written(
    make_index, pixels: dict[str, np.ndarray], tmp_path: Path, spoil: Callable[[Path], None], reason: str
) -> None:
    index = make_index(pixels)
    spoil(tmp_path / "data" / "train" / "c.png")
    with pytest.raises(InputError, match=rf"^\S*train/c\.png: {reason}") as error:
        perturb_images(index, SMALL, 0, 1, tmp_path / "out" / "0.parquet")
    assert "\n" not in str(error.value)
    assert list((tmp_path / "out").iterdir()) == []


def test_an_indexed_file_that_is_no_image_is_named(make_index, pixels: dict[str, np.ndarray], tmp_path: Path) -> None:
    index = make_index(pixels)
    path = tmp_path / "data" / "train" / "c.png"
    path.write_bytes(b"no image")
    digest = hashlib.sha256(b"no image").hexdigest()
    table = pq.read_table(index)
    table = table.set_column(
        table.schema.get_field_index("sha256"),
        table.schema.field("sha256"),
        pa.array([digest if "c.png" in p else s for p, s in zip(table["path"].to_pylist(), table["sha256"].to_pylist(), strict=True)]),
    )
    write_parquet(index, table)
    with pytest.raises(InputError, match=r"train/c\.png"):
        perturb_images(index, SMALL, 0, 1, tmp_path / "0.parquet")


def test_an_image_too_large_for_a_cell_is_named(make_index, pixels: dict[str, np.ndarray], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stage, "CELL_BYTES", 11 * 13 * 6 * 3 - 1)  # 13 rows are too many, 12 are not
    with pytest.raises(InputError, match=r"train/b\.png: 6 x 13 pixels are too many for 10 variants"):
        perturb_images(make_index(pixels), SMALL, 0, 1, tmp_path / "0.parquet")


def test_an_index_out_of_order_is_refused(make_index, pixels: dict[str, np.ndarray], tmp_path: Path) -> None:
    index = make_index(pixels)
    table = pq.read_table(index)
    write_parquet(index, pa.concat_tables([table.slice(1), table.slice(0, 1)]))
    with pytest.raises(InputError, match=r"images.parquet: row 6 \(train/a.png\) is not sorted by image_id"):
        perturb_images(index, SMALL, 0, 1, tmp_path / "0.parquet")


def test_an_index_that_has_an_image_twice_is_refused(make_index, pixels: dict[str, np.ndarray], tmp_path: Path) -> None:
    index = make_index(pixels)
    table = pq.read_table(index)
    write_parquet(index, pa.concat_tables([table.slice(0, 2), table.slice(1)]))
    with pytest.raises(InputError, match=r"images.parquet: row 2 \(train/b.png\) is not sorted by image_id, or is there twice"):
        perturb_images(index, SMALL, 0, 1, tmp_path / "0.parquet")


@pytest.mark.parametrize(("shard", "shards"), [(2, 2), (-1, 2), (0, 0)])
def test_there_is_no_such_shard(make_index, pixels: dict[str, np.ndarray], tmp_path: Path, shard: int, shards: int) -> None:
    with pytest.raises(ValueError, match=f"shard {shard} of {shards}"):
        perturb_images(make_index(pixels), SMALL, shard, shards, tmp_path / "0.parquet")
