"""Made-up galleries."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from qafm.galleries.append_gallery import append_gallery
from qafm.tables.gallery import GalleryRows

DIM = 16
MODEL = {"model_id": "0123456789abcdef" * 4, "model": "made-up/seed-1", "dim": DIM}


def made_up(n: int, *, seed: int = 0, identities: int = 7, dim: int = DIM) -> np.ndarray:
    """Noisy identity centres, float32 [n, dim]; row i is of identity i mod `identities`."""
    rng = np.random.default_rng(seed)
    centres = np.random.default_rng(99).normal(size=(identities, dim))
    return (centres[np.arange(n) % identities] + 0.5 * rng.normal(size=(n, dim))).astype(np.float32)


def rows_of(vectors: np.ndarray, prefix: str = "a", content: Sequence[str] | None = None, identities: int = 7) -> GalleryRows:
    """Images a/0.jpg, a/1.jpg, ... with cameras 1 to 3."""
    n = np.arange(len(vectors))
    labels = {"pid": n % identities + 1, "camid": n % 3 + 1, "q": n / 10, "visual_weight": np.full(len(n), 0.5)}
    return GalleryRows([f"{prefix}/{i}.jpg" for i in n], content or [f"sha-{prefix}-{i}" for i in n], vectors, **labels)


def unit(vectors: np.ndarray) -> np.ndarray:
    """Rows of length 1, in double precision."""
    wide = vectors.astype(np.float64)
    return wide / np.linalg.norm(wide, axis=1, keepdims=True)


@pytest.fixture
def small_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    """Row groups of 8 rows, so that small galleries have many."""
    monkeypatch.setattr("qafm.tables.gallery.BYTES_PER_GROUP", 8 * 4 * DIM)


@pytest.fixture
def gallery(tmp_path: Path, small_groups: None) -> Path:  # noqa: ARG001
    """100 images in 13 row groups."""
    path = tmp_path / "gallery.parquet"
    append_gallery(path, [rows_of(made_up(100))], **MODEL)
    return path
