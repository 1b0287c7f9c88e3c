"""Files of a run whose descriptors know who is who to some degree."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from safetensors.numpy import save_file

from qafm.tables.attributes import ATTRIBUTE_NAMES
from qafm.tables.embeddings import embeddings_schema
from qafm.tables.images import IMAGES_SCHEMA
from qafm.tables.parquet import write_parquet

DIM = 6  # of v_a and of v_s


@dataclass(frozen=True)
class Run:
    """Files, and what is in them, row by row of the embeddings."""

    images: Path
    embeddings: Path
    head: Path
    pid: np.ndarray
    camid: np.ndarray
    split: list[str]
    sha256: list[str]
    weight: np.ndarray
    v_a: np.ndarray
    v_s: np.ndarray

    def descriptors(self) -> np.ndarray:
        """What the head makes: [w v_a/|v_a|, (1-w) v_s/|v_s|], L2-normalised, float64."""
        unit_a, unit_s = (v / np.linalg.norm(v, axis=1, keepdims=True) for v in (self.v_a.astype(float), self.v_s.astype(float)))
        fused = np.concatenate([self.weight[:, None] * unit_a, (1 - self.weight[:, None]) * unit_s], axis=1)
        return fused / np.linalg.norm(fused, axis=1, keepdims=True)


@pytest.fixture
def make_run(tmp_path: Path) -> Callable[..., Run]:
    """Makes a run of `people` test identities, each seen twice by each of `cameras`; query is the first image of camera 1.

    `known` of the identities are train identities, too; `blind` images have no camera; `moved` identities get vectors of their own from another seed.
    """

    def make(*, people: int = 12, cameras: int = 2, known: int = 0, blind: bool = False, moved: tuple[int, ...] = (), seed: int = 0) -> Run:
        folder = tmp_path / f"run{len(list(tmp_path.iterdir()))}"
        rows = [(p, c, k) for p in range(1, people + 1) for c in range(1, cameras + 1) for k in range(2)] + [(0, c, k) for c in (1, 2) for k in range(3)]
        names = [f"{'query' if c == 1 and k == 0 and p else 'gallery'}/{p:04d}_c{c}_{k}.png" for p, c, k in rows]
        sha256 = [f"hash of {name}" for name in names]
        v_a, v_s = np.empty((2, len(rows), DIM), np.float32)
        for i, (p, _, _) in enumerate(rows):
            of_person, of_image = (np.random.default_rng([seed + (p in moved), p, number]) for number in (0, 1 + i))
            for vectors in (v_a, v_s):
                vectors[i] = (p > 0) * of_person.normal(size=DIM) + 0.7 * of_image.normal(size=DIM)
        weight = np.random.default_rng(seed).uniform(0.3, 0.8, len(rows))
        split = [name.split("/")[0] for name in names]
        table = [_image(name, s, p, None if blind else c, h) for name, s, (p, c, _), h in zip(names, split, rows, sha256, strict=True)]
        table += [_image(f"train/{p:04d}.png", "train", p, 1, f"hash of train {p}") for p in (*range(1, known + 1), 900)]
        write_parquet(folder / "images.parquet", pa.Table.from_pylist(sorted(table, key=lambda row: row["image_id"]), IMAGES_SCHEMA))
        arrays = {"image_id": names, "split": split, "q": weight, "visual_weight": weight, "v_a": list(v_a), "v_s": list(v_s)}
        write_parquet(folder / "embeddings.parquet", pa.Table.from_pydict(arrays, embeddings_schema(DIM, DIM)))
        ones, zeros = np.ones(2 * DIM, np.float32), np.zeros(2 * DIM, np.float32)
        tensors = {"fc_weight": np.eye(2 * DIM, dtype=np.float32), "fc_scale": ones, "fc_shift": zeros}
        tensors |= {f"{branch}_{what}": value[:DIM].copy() for branch in ("apn", "apan") for what, value in (("scale", ones), ("shift", zeros))}
        save_file(tensors, folder / "head.safetensors", metadata={"activation": "none", "normalize": "true"})
        pid, camid = np.array([p for p, _, _ in rows]), np.array([-1 if blind else c for _, c, _ in rows])
        files = (folder / "images.parquet", folder / "embeddings.parquet", folder / "head.safetensors")
        return Run(*files, pid=pid, camid=camid, split=split, sha256=sha256, weight=weight, v_a=v_a, v_s=v_s)

    return make


def _image(name: str, split: str, pid: int, camid: int | None, sha256: str) -> dict[str, object]:
    row: dict[str, object] = {field.name: None for field in IMAGES_SCHEMA} | dict.fromkeys(ATTRIBUTE_NAMES)
    row |= {"image_id": name, "path": f"data/{name}", "split": split, "pid": pid, "camid": camid, "sha256": sha256}
    return row | {"junk": False, "distractor": pid == 0, "height": 128, "width": 64, "fold": "fit" if split == "train" else None}
