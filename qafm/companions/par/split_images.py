"""The images of both tasks: those that are trained on, those that validate, and those that are searched.

N images, H W input size.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import torch

from qafm.companions.par.identity_fold import trained_on
from qafm.config.backbone import BackboneConfig
from qafm.config.par import IdentitySplitConfig, PlainTrainingConfig
from qafm.errors import InputError
from qafm.images.image_set import ImageSet, load_image_set, select_rows
from qafm.images.network_input import normalize
from qafm.training.augment import random_flip, random_rotate


@dataclass(frozen=True)
class TrainSplit:
    """All images of the train split, held-out ones included: the report knows of no third part.

    Args:
        images: decoded, on the CPU [N].
        fit: rows that are trained on, int64.
        validation: the other rows.
    """

    images: ImageSet
    fit: np.ndarray
    validation: np.ndarray


def load_train_split(images: Path, backbone: BackboneConfig, split: IdentitySplitConfig) -> TrainSplit:
    """Decode the train split and divide its identities.

    Raises:
        InputError: no train image, one that cannot be read, or a single identity.
    """
    rows = select_rows(images, split="train")
    fitted = _fitted(images, rows, split)
    return TrainSplit(load_image_set(rows, backbone.height, backbone.width), np.flatnonzero(fitted), np.flatnonzero(~fitted))


def load_validation_and_test(images: Path, backbone: BackboneConfig, split: IdentitySplitConfig) -> ImageSet:
    """Decode what is searched: validation, query and gallery images, without junk, in the order of images.parquet."""
    rows = select_rows(images)
    train = rows.filter(pc.field("split") == "train")
    validation = train["image_id"].filter(pa.array(~_fitted(images, train, split)))
    searched = rows.filter((pc.field("split") != "train") | pc.field("image_id").isin(validation.combine_chunks()))
    return load_image_set(searched, backbone.height, backbone.width)


def _fitted(images: Path, rows: pa.Table, split: IdentitySplitConfig) -> np.ndarray:
    try:
        return trained_on(rows["pid"].to_numpy(), split.train_share, split.seed)
    except ValueError as error:
        raise InputError(f"{images}: {error}") from error


def augmented(pixels: torch.Tensor, config: PlainTrainingConfig) -> torch.Tensor:
    """Flipped, turned and normalised: uint8 [N, 3, H, W] -> float32."""
    return normalize(random_rotate(random_flip(pixels, config.flip), config.rotation_deg))
