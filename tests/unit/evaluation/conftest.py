"""A small run of stage 6: images.parquet, embeddings.parquet and a fusion head, in which APN knows who is who and APAN hardly does."""

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

DA, DS, D = 6, 5, 8
# (image name, split, pid, camid): identities 1-6 twice per camera in the gallery, distractors 0, junk -1, held-out train identities 101-104.
IMAGES = sorted(
    [(f"query/{p:04d}_c1", "query", p, 1) for p in range(1, 7)]
    + [("query/0077_c1", "query", 77, 1)]  # nobody in the gallery
    + [(f"gallery/{p:04d}_c{c}_{k}", "gallery", p, c) for p in range(1, 7) for c in (1, 2) for k in range(2)]
    + [(f"gallery/0000_c{c}_{k}", "gallery", 0, c) for c in (1, 2) for k in range(4)]
    + [("gallery/-1_c1", "gallery", -1, 1)]
    + [(f"train/{p:04d}_c{c}", "train", p, c) for p in range(101, 105) for c in (1, 2, 3)]
)


@dataclass(frozen=True)
class SmallRun:
    """Files of a small run, and what is in them."""

    images: Path
    embeddings: Path
    head: Path
    names: list[str]
    splits: list[str]
    weight: np.ndarray
    v_a: np.ndarray
    v_s: np.ndarray
    tensors: dict[str, np.ndarray]


def _write_images(path: Path, cameras: bool) -> None:
    rows = []
    for name, split, pid, camid in IMAGES:
        row = {field.name: None for field in IMAGES_SCHEMA}
        row |= {"image_id": name, "path": f"data/{name}", "split": split, "pid": pid, "camid": camid if cameras else None, "sha256": f"hash of {name}"}
        row |= {"junk": pid == -1, "distractor": pid == 0, "height": 128, "width": 64, "fold": "holdout" if split == "train" else None}
        rows.append(row | dict.fromkeys(ATTRIBUTE_NAMES))
    write_parquet(path, pa.Table.from_pylist(rows, IMAGES_SCHEMA))


def _vectors(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    centre = {pid: (rng.normal(size=DA), rng.normal(size=DS)) for pid in sorted({pid for _, _, pid, _ in IMAGES})}
    v_a = np.array([centre[pid][0] * (pid > 0) + 0.45 * rng.normal(size=DA) for _, _, pid, _ in IMAGES], np.float32)
    v_s = np.array([0.6 * centre[pid][1] * (pid > 0) + rng.normal(size=DS) for _, _, pid, _ in IMAGES], np.float32)
    return v_a, v_s


def _head_tensors(rng: np.random.Generator) -> dict[str, np.ndarray]:
    shapes = {"fc_weight": (D, DA + DS), "fc_scale": (D,), "fc_shift": (D,), "apn_scale": (DA,), "apn_shift": (DA,), "apan_scale": (DS,), "apan_shift": (DS,)}
    made = {name: (0.1 * rng.normal(size=shape)).astype(np.float32) + (name.endswith("scale")) for name, shape in shapes.items()}
    return made | {"fc_weight": rng.normal(size=(D, DA + DS)).astype(np.float32)}


@pytest.fixture
def small_run(tmp_path: Path) -> Callable[..., SmallRun]:
    """Makes a run: `swapped` exchanges both branches, `holdout`/`cameras`/`distractors` can be left out, `weight` fixes every visual weight."""

    def make(
        *,
        swapped: bool = False,
        holdout: bool = True,
        cameras: bool = True,
        distractors: bool = True,
        activation: str = "none",
        weight: float | None = None,
        seed: int = 0,
    ) -> SmallRun:
        rng = np.random.default_rng(seed)
        folder = tmp_path / f"run{len(list(tmp_path.iterdir()))}"
        (v_a, v_s), tensors = _vectors(rng), _head_tensors(rng)
        weights = rng.uniform(0.3, 0.8, len(IMAGES)) if weight is None else np.full(len(IMAGES), weight)
        if swapped:
            v_a, v_s, weights = v_s, v_a, 1 - weights
            columns = tensors["fc_weight"]
            tensors |= {"fc_weight": np.ascontiguousarray(np.concatenate([columns[:, DA:], columns[:, :DA]], axis=1))}
            tensors |= {f"{to}_{what}": tensors[f"{of}_{what}"] for to, of in (("apn", "apan"), ("apan", "apn")) for what in ("scale", "shift")}
        splits = ["holdout" if split == "train" else split for _, split, _, _ in IMAGES]
        kept = [i for i, (_, _, pid, _) in enumerate(IMAGES) if pid != -1 and (holdout or splits[i] != "holdout") and (distractors or pid != 0)]
        _write_images(folder / "images.parquet", cameras)
        arrays = {
            "image_id": [IMAGES[i][0] for i in kept],
            "split": [splits[i] for i in kept],
            "q": [float(i) for i in kept],
            "visual_weight": weights[kept],
            "v_a": list(v_a[kept]),
            "v_s": list(v_s[kept]),
        }
        write_parquet(folder / "embeddings.parquet", pa.Table.from_pydict(arrays, embeddings_schema(v_a.shape[1], v_s.shape[1])), rows_per_group=7)
        save_file(tensors, folder / "head.safetensors", metadata={"activation": activation, "normalize": "true"})
        return SmallRun(
            folder / "images.parquet",
            folder / "embeddings.parquet",
            folder / "head.safetensors",
            arrays["image_id"],
            arrays["split"],
            weights[kept],
            v_a[kept],
            v_s[kept],
            tensors,
        )

    return make
