from pathlib import Path

import cv2
import numpy as np
import pyarrow as pa
import pytest
import torch
from PIL import Image
from torchvision.models import ResNet50_Weights

from qafm.errors import InputError
from qafm.images.image_set import load_image_set, select_rows
from qafm.images.network_input import IMAGENET_MEAN, IMAGENET_STD, normalize, to_input
from qafm.tables.images import IMAGES_SCHEMA
from qafm.tables.parquet import write_parquet

RNG = np.random.default_rng(0)


def row(name: str, **values: object) -> dict[str, object]:
    empty = {field.name: None for field in IMAGES_SCHEMA}
    fixed = {"path": name, "split": "train", "pid": 1, "junk": False, "distractor": False, "sha256": "0", "height": 8, "width": 4}
    return {**empty, "image_id": name, **fixed, **values}


@pytest.fixture
def images(tmp_path: Path) -> Path:
    rows = [
        row("a.png", pid=30, fold="fit", camid=2, gender=1),
        row("b.png", pid=7, fold="fit", up_color=3),
        row("c.png", pid=30, fold="holdout", camid=1),
        row("d.png", split="gallery", pid=-1, junk=True),
        row("e.png", split="gallery", pid=5),
    ]
    for entry in rows:
        path = tmp_path / str(entry["path"])
        cv2.imwrite(str(path), RNG.integers(0, 256, (8, 4, 3), dtype=np.uint8))
        entry["path"] = str(path)
    write_parquet(tmp_path / "images.parquet", pa.Table.from_pylist(rows, schema=IMAGES_SCHEMA))
    return tmp_path / "images.parquet"


def test_rows_are_chosen_by_split_and_fold_and_junk_never(images: Path) -> None:
    def names(**how: str) -> list[str]:
        return select_rows(images, **how)["image_id"].to_pylist()

    assert names() == ["a.png", "b.png", "c.png", "e.png"]
    assert names(split="train", fold="fit") == ["a.png", "b.png"]
    assert names(fold="holdout") == ["c.png"]
    assert names(split="gallery") == ["e.png"]
    with pytest.raises(InputError, match=r"images\.parquet: no image with split query and fold any"):
        select_rows(images, split="query")


def test_labels_and_unknowns(images: Path) -> None:
    data = load_image_set(select_rows(images, split="train"), 8, 4)
    assert data.labels.tolist() == [1, 0, 1]
    assert data.num_ids == 2
    assert data.camids.tolist() == [2, -1, 1]
    assert data.attributes.shape == (3, 12)
    assert data.attributes[0, 0] == 1
    assert data.attributes[1, 10] == 3
    assert (data.attributes == -1).sum() == 34
    assert data.pixels.shape == (3, 3, 8, 4)
    first = cv2.imread(select_rows(images)["path"][0].as_py())
    assert first is not None
    assert np.array_equal(data.pixels[0].permute(1, 2, 0).numpy(), first[..., ::-1])


@pytest.mark.parametrize("size", [(16, 8), (40, 12), (64, 64)])
def test_resize_is_pils(size: tuple[int, int]) -> None:
    image = RNG.integers(0, 256, (2, 37, 19, 3), dtype=np.uint8)
    resized = to_input(image, *size)
    for ours, source in zip(resized, image, strict=True):
        expected = np.asarray(Image.fromarray(source).resize(size[::-1], Image.Resampling.BILINEAR))
        assert np.abs(ours.permute(1, 2, 0).numpy().astype(int) - expected.astype(int)).max() <= 1


def test_normalisation_is_imagenets() -> None:
    pixels = torch.randint(0, 256, (2, 3, 4, 2), dtype=torch.uint8)
    expected = (pixels.double() / 255 - torch.tensor(IMAGENET_MEAN).view(3, 1, 1)) / torch.tensor(IMAGENET_STD).view(3, 1, 1)
    torch.testing.assert_close(normalize(pixels).double(), expected, atol=1e-5, rtol=0)


def test_weights_of_imagenet_see_what_they_were_trained_on() -> None:
    """torchvision's own preparation for the weights that `init: imagenet` loads, channel by channel."""
    prepare = ResNet50_Weights.IMAGENET1K_V1.transforms()
    pixels = torch.arange(2 * 3 * 20, dtype=torch.uint8).view(2, 3, 5, 4)
    expected = torch.nn.functional.batch_norm(pixels.float() / 255, torch.tensor(prepare.mean), torch.tensor(prepare.std) ** 2, eps=0)
    torch.testing.assert_close(normalize(pixels), expected, atol=1e-5, rtol=0)
