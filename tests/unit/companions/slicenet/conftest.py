"""A small data set on disk, and one CPU thread."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pyarrow as pa
import pytest
import torch

from qafm.tables.images import IMAGES_SCHEMA
from qafm.tables.parquet import write_parquet


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def people(tmp_path: Path) -> Callable[..., Path]:
    """Writes pictures and images.parquet: `train_ids` identities with 4 images each, then 3 test identities, one query and 3 gallery images each.

    An identity has a colour of its own. The first query's picture lies in the gallery once more, in the query's own camera.
    """

    def write(*, train_ids: int = 3, held_out: int = 0, size: tuple[int, int] = (20, 10), cameras: bool = True, distractors: int = 1) -> Path:
        rng = np.random.default_rng(7)
        rows: list[dict[str, Any]] = []

        def add(name: str, split: str, pid: int, camid: int, copy_of: str | None = None, **more: Any) -> None:
            path = tmp_path / f"{name}.png"
            pixels = np.clip(40 * (pid % 6) + rng.integers(0, 60, (*size, 3)), 0, 255).astype(np.uint8)
            path.write_bytes((tmp_path / f"{copy_of}.png").read_bytes() if copy_of else cv2.imencode(".png", pixels)[1].tobytes())
            row: dict[str, Any] = dict.fromkeys(IMAGES_SCHEMA.names) | {
                "image_id": name,
                "path": str(path),
                "split": split,
                "pid": pid,
                "sha256": copy_of or name,
            }
            row |= {"camid": camid if cameras else None, "junk": False, "distractor": pid == 0, "height": size[0], "width": size[1]}
            rows.append(row | more)

        for pid in range(1, train_ids + 1):
            for k in range(4):
                add(f"train-{pid}-{k}", "train", pid, 1 + k % 2, fold="holdout" if pid > train_ids - held_out else "fit")
        for pid in range(101, 104):
            add(f"query-{pid}", "query", pid, 1)
            for k in range(3):
                add(f"gallery-{pid}-{k}", "gallery", pid, 1 + k % 2, copy_of="query-101" if (pid, k) == (101, 0) else None)
        for k in range(distractors):
            add(f"gallery-000-{k}", "gallery", 0, 1)
        add("gallery-junk", "gallery", -1, 1, junk=True)
        rows.sort(key=lambda row: row["image_id"])
        write_parquet(tmp_path / "images.parquet", pa.Table.from_pylist(rows, IMAGES_SCHEMA))
        return tmp_path / "images.parquet"

    return write
