"""Images seen: against a training that counts what it is shown, and by hand."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from qafm.companions.comparison.images_seen import images_seen
from qafm.config.compared import IdentityBatches, RecordedImages, SplitImages
from qafm.config.par import IdentitySplitConfig
from qafm.config.training import BatchConfig, OptimizerConfig
from qafm.images.image_set import select_rows
from qafm.runtime.errors import InputError
from qafm.training.loop import Losses, Task, train
from qafm.training.schedule import build_adam
from tests.unit.companions.par.conftest import Row


def curve(folder: Path, epochs: int, more: str = "") -> Path:
    path = folder / "history.csv"
    path.write_text("epoch,loss" + (",images_seen" if more else "") + "\n" + "".join(f"{epoch},1{more}\n" for epoch in range(1, epochs + 1)))
    return path


@pytest.mark.parametrize(("seed", "epochs", "ids", "per_id"), [(1, 3, 3, 2), (2, 3, 3, 2), (1, 2, 4, 3), (1, 2, 20, 2)])
def test_batches_by_identity_are_those_of_the_training(images: Path, tmp_path: Path, seed: int, epochs: int, ids: int, per_id: int) -> None:
    batch = BatchConfig(ids=ids, images_per_id=per_id)
    labels = torch.from_numpy(np.unique(select_rows(images, fold="fit")["pid"].to_numpy(), return_inverse=True)[1])
    model, shown = torch.nn.Linear(1, 1), []

    def loss(indices: torch.Tensor) -> Losses:
        shown.append(len(indices))
        return {"loss": model(torch.ones(1, 1)).sum()}

    task = Task("some_task", seed, model, build_adam([{"params": model.parameters()}], OptimizerConfig()), loss, lambda _epoch: None)
    train(task, labels, epochs=epochs, batch=batch, schedule=OptimizerConfig())
    found = images_seen(images, IdentityBatches(task="some_task", batch=batch), seed, curve(tmp_path, epochs))
    assert found == (epochs, sum(shown))


def test_companion_c1_shows_every_image_or_every_triplet_of_its_identities(images: Path, tmp_path: Path) -> None:
    split = IdentitySplitConfig(train_share=0.6, seed=1)  # 5 of 8 identities, 4 images each
    assert images_seen(images, SplitImages(split=split, triplets=False), 1, curve(tmp_path, 3)) == (3, 3 * 20)
    assert images_seen(images, SplitImages(split=split, triplets=True), 1, curve(tmp_path, 2)) == (2, 2 * 60)
    half = IdentitySplitConfig(train_share=0.5, seed=1)
    assert images_seen(images, SplitImages(split=half, triplets=False), 1, curve(tmp_path, 1)) == (1, 16)


def test_an_image_without_a_second_one_is_in_no_triplet(images_of: Callable[[list[Row]], Path], rows: list[Row], tmp_path: Path) -> None:
    alone = images_of([row for row in rows if row["split"] != "train" or row["image_id"].endswith("_0.png")])
    every = IdentitySplitConfig(train_share=0.6, seed=1)
    assert images_seen(alone, SplitImages(split=every, triplets=True), 1, curve(tmp_path, 1)) == (1, 0)
    assert images_seen(alone, SplitImages(split=every, triplets=False), 1, curve(tmp_path, 1)) == (1, 5)


def test_a_curve_that_counts_is_believed(images: Path, tmp_path: Path) -> None:
    assert images_seen(images, RecordedImages(), 1, curve(tmp_path, 4, ",99")) == (4, 99)
    with pytest.raises(InputError, match=r"history\.csv: does not end with a number of images seen"):
        images_seen(images, RecordedImages(), 1, curve(tmp_path, 1, ",x"))
    with pytest.raises(InputError, match=r"history\.csv: has no column 'images_seen'"):
        images_seen(images, RecordedImages(), 1, curve(tmp_path, 1))
