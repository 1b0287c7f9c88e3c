"""Pictures that can be learnt, and which of them a network is shown: for the tests of every companion that trains."""

from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import cv2
import numpy as np
import pytest
import torch

from qafm.companions.par.siamese_network import SiameseNetwork
from qafm.config.training import AugmentConfig
from qafm.datasets.read_image import read_image
from qafm.images.network_input import normalize, to_input
from qafm.tables.parquet import read_parquet

Row = dict[str, Any]
STILL = AugmentConfig(flip=0, pad_px=0, brightness=0, contrast=0, saturation=0, erase=0)
RED, GREEN = (60, 60, 180), (60, 180, 60)  # as OpenCV writes them


def repaint(images: Path, *, colours: str = "own") -> None:
    """Waves whose direction is the identity's; their colour and where they begin are the image's own, or all odd identities are red, even ones green.

    An untrained network tells the colours apart, not the directions.
    """
    rng, rows = np.random.default_rng(9), read_parquet(images).to_pylist()
    for row in rows:
        y, x = np.mgrid[: row["height"], : row["width"]]
        angle = np.pi * (row["pid"] % 16) / 8
        wave = np.sin(2 * np.pi * (np.cos(angle) * x + np.sin(angle) * y) / 8 + rng.uniform(0, 2 * np.pi))
        colour = rng.integers(50, 206, 3) if colours == "own" else RED if row["pid"] % 2 else GREEN
        cv2.imwrite(row["path"], np.clip(colour + 40 * wave[:, :, None] + rng.integers(-5, 6, (*wave.shape, 3)), 0, 255).astype(np.uint8))


def stored(images: Path, height: int, width: int, rows: list[Row] | None = None) -> torch.Tensor:
    """What a network is shown of these images, or of all, without augmentation: float32 [N, 3, H, W]."""
    paths = [Path(row["path"]) for row in (read_parquet(images).to_pylist() if rows is None else rows)]
    return normalize(torch.cat([to_input(read_image(path)[None], height, width) for path in paths]))


def distances(images: Path, pixels: torch.Tensor, *, mirrored: bool = False) -> torch.Tensor:
    """Largest difference of any pixel of [N, 3, H, W] and of each stored image, mirrored or not: float32 [N, all images]."""
    known = stored(images, *pixels.shape[2:])
    return torch.stack([(picture - (known.flip(3) if mirrored else known)).abs().amax(dim=(1, 2, 3)) for picture in pixels])


def shown(images: Path, pixels: torch.Tensor, *, mirrored: bool = False) -> list[Row]:
    """The rows of images.parquet that a network was shown, each of which must be there to the pixel, mirrored or not."""
    apart = distances(images, pixels.detach(), mirrored=mirrored)
    assert apart.amin(dim=1).max() < 1e-3
    rows = read_parquet(images).to_pylist()
    return [rows[int(i)] for i in apart.argmin(dim=1)]


def nearest_is_right(vectors: torch.Tensor, pids: list[int]) -> float:
    """Share of the images [N, D] whose nearest other one, by the angle, is of their identity."""
    unit = torch.nn.functional.normalize(vectors.detach().float(), dim=1)
    nearest = (unit @ unit.T).fill_diagonal_(-2).argmax(dim=1)
    return float(np.mean([pids[i] == pids[int(j)] for i, j in enumerate(nearest)]))


class SeenTriplets(NamedTuple):
    """The triplets that a loss was asked for: the images in each role, and all that went through the network for it."""

    anchors: list[Row]
    positives: list[Row]
    negatives: list[Row]
    batch: list[Row]
    margin: float
    learnt: bool  # whether there is a gradient


def watch_triplets(monkeypatch: pytest.MonkeyPatch, module: ModuleType, images: Path, *, mirrored: bool = False) -> list[SeenTriplets]:
    """What `module.triplet_loss` is given while it is trained, told by the pictures behind the descriptors; those of validation are never mirrored."""
    seen: list[SeenTriplets] = []
    passes: list[tuple[torch.Tensor, torch.Tensor]] = []
    forward, loss = SiameseNetwork.forward, module.triplet_loss

    def noted(model: SiameseNetwork, pixels: torch.Tensor) -> torch.Tensor:
        passes.append((pixels, forward(model, pixels)))
        return passes[-1][1]

    def spied(anchor: torch.Tensor, positive: torch.Tensor, negative: torch.Tensor, margin: float) -> torch.Tensor:
        pixels, found = (torch.cat(column) for column in zip(*passes, strict=True))
        passes.clear()
        batch, roles = shown(images, pixels, mirrored=mirrored and found.requires_grad), []
        for vectors in (anchor, positive, negative):
            equal = (vectors[:, None] == found).all(dim=2)  # [M, B]
            assert equal.any(dim=1).all()
            roles.append([batch[int(i)] for i in equal.int().argmax(dim=1)])
        seen.append(SeenTriplets(*roles, batch, margin, found.requires_grad))
        return loss(anchor, positive, negative, margin)

    monkeypatch.setattr(SiameseNetwork, "forward", noted)
    monkeypatch.setattr(module, "triplet_loss", spied)
    return seen


def check_triplets(seen: SeenTriplets, candidates: list[Row]) -> None:
    """Positives are other images of the anchor's identity, negatives of other identities: of the anchor's colour where a candidate is, see `repaint`."""
    for anchor, positive, negative in zip(seen.anchors, seen.positives, seen.negatives, strict=True):
        assert anchor["pid"] == positive["pid"] != negative["pid"]
        assert anchor["image_id"] != positive["image_id"]
        alike = {row["pid"] for row in candidates if row["pid"] % 2 == anchor["pid"] % 2} - {anchor["pid"]}
        assert not alike or negative["pid"] in alike
