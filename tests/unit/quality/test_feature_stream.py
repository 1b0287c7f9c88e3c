from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from qafm.errors import InputError
from qafm.quality import feature_stream
from qafm.quality.feature_stream import read_features
from qafm.tables.parquet import write_parquet

VARIANTS = 5


def made_up(images: int, dtype: str = "float32") -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    return {f"train/{number:02}.jpg": rng.normal(size=(VARIANTS, 6)).astype(dtype) for number in range(images)}


def rows(images: dict[str, np.ndarray]) -> list[tuple[str, int, np.ndarray]]:
    return [(image_id, variant, vector) for image_id, features in images.items() for variant, vector in enumerate(features)]


@pytest.mark.parametrize("dtype", ["float32", "float16"])
@pytest.mark.parametrize("rows_per_group", [1, 3, 7, 4096])
@pytest.mark.parametrize("images_per_read", [1, 2, 64])
def test_images_come_whole_however_the_file_is_cut(make_shard, monkeypatch: pytest.MonkeyPatch, dtype: str, rows_per_group: int, images_per_read: int) -> None:
    monkeypatch.setattr(feature_stream, "IMAGES_PER_READ", images_per_read)
    images = made_up(9, dtype)
    read = list(read_features(make_shard("0.parquet", rows(images), dtype, rows_per_group), VARIANTS))
    assert [image_id for image_id, _ in read] == list(images)
    for image_id, features in read:
        assert features.dtype == dtype
        assert (features == images[image_id]).all()


def test_an_empty_shard_has_no_images(make_shard) -> None:
    assert list(read_features(make_shard("0.parquet", []), VARIANTS)) == []


def drop(position: int):
    return lambda lines: [*lines[:position], *lines[position + 1 :]]


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (drop(7), r"row 7 is variant 3 of train/01.jpg, expected variant 2 of train/01.jpg"),
        (drop(9), r"row 9 is variant 0 of train/02.jpg, expected variant 4 of train/01.jpg"),
        (drop(14), r"ends within an image: row 10 \(train/02.jpg\) begins 4 of 5 variants"),
        (lambda lines: [lines[1], lines[0], *lines[2:]], r"row 0 is variant 1 of train/00.jpg, expected variant 0"),
        (lambda lines: [*lines[:6], ("other.jpg", 1, lines[6][2]), *lines[7:]], r"row 6 is variant 1 of other.jpg, expected variant 1 of train/01.jpg"),
        (lambda lines: [*lines[:6], (*lines[6][:2], np.full(6, np.nan)), *lines[7:]], r"the features of train/01.jpg \(from row 5\) are not finite numbers"),
        (lambda lines: [*lines[:6], (*lines[6][:2], np.full(6, -np.inf)), *lines[7:]], r"the features of train/01.jpg \(from row 5\) are not finite numbers"),
    ],
)
def test_rows_out_of_order_are_named(make_shard, spoil, message: str) -> None:
    path = make_shard("3.parquet", spoil(rows(made_up(3))))
    with pytest.raises(InputError, match=rf"3\.parquet: {message}"):
        list(read_features(path, VARIANTS))


def test_a_variant_without_features_is_named(tmp_path: Path) -> None:
    image_ids, variants, vectors = zip(*rows(made_up(3)), strict=True)
    known = [None if row == 6 else vector.tolist() for row, vector in enumerate(vectors)]
    columns = [pa.array(image_ids), pa.array(variants, pa.int8()), pa.array(known, pa.list_(pa.float32(), 6))]
    write_parquet(tmp_path / "3.parquet", pa.table(columns, names=["image_id", "variant", "feature"]))
    with pytest.raises(InputError, match=r"3\.parquet: the features of train/01.jpg \(from row 5\) are not finite numbers"):
        list(read_features(tmp_path / "3.parquet", VARIANTS))


def test_the_number_of_variants_must_fit(make_shard) -> None:
    path = make_shard("0.parquet", rows(made_up(3)))
    with pytest.raises(InputError, match=r"row 5 is variant 0 of train/01.jpg, expected variant 5 of train/00.jpg"):
        list(read_features(path, VARIANTS + 1))


def test_other_columns_or_no_parquet_are_named(tmp_path: Path) -> None:
    write_parquet(tmp_path / "a.parquet", pa.table({"image_id": ["a"], "variant": [0], "feature": [1.0]}))
    with pytest.raises(InputError, match=r"a\.parquet: columns are \['image_id string', 'variant int64', 'feature double'\], expected image_id, variant and"):
        list(read_features(tmp_path / "a.parquet", VARIANTS))
    (tmp_path / "b.parquet").write_bytes(b"no table")
    for name in ("b.parquet", "missing.parquet"):
        with pytest.raises(InputError, match=rf"{name}: cannot be read as Parquet"):
            list(read_features(tmp_path / name, VARIANTS))


def test_memory_does_not_grow_with_the_file(make_shard) -> None:
    features = np.random.default_rng(0).normal(size=(2000, VARIANTS, 256)).astype(np.float32)  # 10 MB
    path = make_shard("0.parquet", rows({f"{number:04}": image for number, image in enumerate(features)}), rows_per_group=100, dim=256)
    del features
    before = pa.total_allocated_bytes()
    held = [pa.total_allocated_bytes() - before for _ in read_features(path, VARIANTS)]
    assert len(held) == 2000
    assert max(held) < 3_000_000
