"""A run in which the pictures' brightness tells which branch sees a query well."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pyarrow as pa
from safetensors.numpy import save_file

from qafm.guides.measure_guides import measure_guides
from qafm.tables.attributes import ATTRIBUTE_NAMES
from qafm.tables.embeddings import embeddings_schema
from qafm.tables.images import IMAGES_SCHEMA
from qafm.tables.parquet import write_parquet
from qafm.tables.quality import QUALITY_SCHEMA

GRID = 11
DIM = 5


def write_quality(path: Path, q: dict[str, float]) -> Path:
    rows = [
        {field.name: None for field in QUALITY_SCHEMA} | {"image_id": name, "q": value, "q_z": 0.0, "q_rank": 0.0, "q_blur": -value}
        for name, value in q.items()
    ]
    write_parquet(path, pa.Table.from_pylist(rows, QUALITY_SCHEMA))
    return path


@dataclass(frozen=True)
class PlantedRun:
    images: Path
    embeddings: Path
    head: Path
    quality: Path

    def measure(self, out: Path, **changes: Any) -> dict[str, Any]:
        settings = {"same_camera": "drop", "grid": GRID, "seed": 3} | changes
        compare = settings.pop("compare", None)
        measure_guides(self.images, self.embeddings, self.head, self.quality, compare, **settings, out=out)
        return json.loads(out.read_text())


def planted_run(folder: Path, *, holdout: bool = True) -> PlantedRun:
    """120 people, half of them held out. By the first camera a bright image has a good vector by APN and none by APAN, a dark one the other way round."""
    rng = np.random.default_rng(5)
    people = [*range(1, 61), *range(101, 161)] if holdout else list(range(1, 61))
    centres = {pid: rng.normal(size=(2, DIM)) for pid in people}
    rows, vectors = [], []
    for pid in people:
        for camid in (1, 2, 3):
            split = "train" if pid > 100 else "query" if camid == 1 else "gallery"
            bright, name = bool(rng.random() < 0.5), f"{split}/{pid}_{camid}"
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            shade = np.full((8, 4, 3), 200 if bright else 40, np.uint8) + rng.integers(0, 9, (8, 4, 3), np.uint8)
            path.write_bytes(cv2.imencode(".png", shade)[1].tobytes())
            row = {field.name: None for field in IMAGES_SCHEMA} | dict.fromkeys(ATTRIBUTE_NAMES)
            row |= {"image_id": name, "path": str(path), "split": split, "pid": pid, "camid": camid, "sha256": name, "junk": False, "distractor": False}
            rows.append(row | {"height": 8, "width": 4, "fold": "holdout" if pid > 100 else None})
            blind = camid == 1  # all else is seen well by both
            noise = rng.normal(size=(2, DIM)) * np.array([[0.3 if bright or not blind else 4.0], [4.0 if bright and blind else 0.3]])
            vectors.append(centres[pid] + noise)
    write_parquet(folder / "images.parquet", pa.Table.from_pylist(rows, IMAGES_SCHEMA))
    arrays = {
        "image_id": [row["image_id"] for row in rows],
        "split": ["holdout" if row["split"] == "train" else row["split"] for row in rows],
        "q": [0.0] * len(rows),
        "visual_weight": [0.5] * len(rows),
        "v_a": [v[0].astype(np.float32) for v in vectors],
        "v_s": [v[1].astype(np.float32) for v in vectors],
    }
    write_parquet(folder / "embeddings.parquet", pa.Table.from_pydict(arrays, embeddings_schema(DIM, DIM)))
    ones, zeros = np.ones(DIM, np.float32), np.zeros(DIM, np.float32)
    head = {"fc_weight": np.eye(DIM, 2 * DIM, dtype=np.float32), "fc_scale": ones, "fc_shift": zeros}
    save_file(
        head | {f"{b}_{n}": v for b in ("apn", "apan") for n, v in (("scale", ones), ("shift", zeros))},
        folder / "head.safetensors",
        {"activation": "none", "normalize": "true"},
    )
    quality = write_quality(folder / "quality.parquet", {row["image_id"]: float(rng.random()) for row in rows})
    return PlantedRun(folder / "images.parquet", folder / "embeddings.parquet", folder / "head.safetensors", quality)
