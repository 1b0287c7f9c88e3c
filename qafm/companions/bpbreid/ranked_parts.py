"""A query and its first ranks with everything the picture with part maps shows of them.

K parts, E embeddings (the foreground, then the parts); H x W an image as it is drawn, h x w a map.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from qafm.companions.bpbreid.part_tables import MAPS_SCHEMA, PART_RANKING_SCHEMA
from qafm.evaluation.join_labels import vector_column
from qafm.figures.drawing.image_grid import load_pixels
from qafm.runtime.errors import InputError, reading
from qafm.runtime.files import read_json
from qafm.tables.images import IMAGES_SCHEMA
from qafm.tables.parquet import read_parquet


@dataclass(frozen=True)
class PartFiles:
    """What the picture is made of: the images, and the tables of one variant and seed."""

    images: Path
    ranking: Path
    embeddings: Path
    maps: Path
    summary: Path


@dataclass(frozen=True)
class ShownImage:
    """One row of the picture.

    Args:
        role: what it is to the query.
        rank: 1 = nearest; 0 for the query itself.
        image_id: as in images.parquet.
        pid: identity; 0 for a distractor.
        camid: camera; None without cameras.
        distance: to the query, over what both show; 0 for the query itself.
        pixels: uint8 [H, W, 3].
        maps: probabilities, float32 [E, h, w].
        visible: whether it shows what each embedding is of, bool [E].
        confidence: how surely, float [E] in [0, 1].
        apart: distance of each embedding to the query's, float [E]; NaN where it was not compared.
    """

    role: Literal["query", "right", "wrong"]
    rank: int
    image_id: str
    pid: int
    camid: int | None
    distance: float
    pixels: np.ndarray
    maps: np.ndarray
    visible: np.ndarray
    confidence: np.ndarray
    apart: np.ndarray


@dataclass(frozen=True)
class RankedParts:
    """A query and its first ranks, the query first; `compared` names the embeddings; `ap` is None where nothing right is in the gallery."""

    compared: list[str]
    ap: float | None
    shown: list[ShownImage]


def read_ranked_parts(files: PartFiles, query: str, depth: int) -> RankedParts:
    """Read a query and its first `depth` ranks, fewer where the gallery has fewer.

    Raises:
        InputError: the query is not ranked, an image is missing in a table or cannot be read, or a table is damaged.
    """
    row = next((row for row in read_parquet(files.ranking, PART_RANKING_SCHEMA).to_pylist() if row["image_id"] == query), None)
    if row is None:
        raise InputError(f"{files.ranking}: no query {query}")
    with reading(files.summary, "is no summary of embed_bpbreid"):
        compared: list[str] = read_json(files.summary)["compared"]
    names = [query, *row["gallery_id"][:depth]]
    known = _Known(files, names, len(compared))
    shown = [known.image("query", 0, query, 0.0, [])]
    ranked = zip(names[1:], row["right"], row["distance"], row["part_distance"], strict=False)
    for rank, (name, right, distance, apart) in enumerate(ranked, start=1):
        shown.append(known.image("right" if right else "wrong", rank, name, distance, apart))
    return RankedParts(compared, row["ap"], shown)


class _Known:
    """What the tables say of some images."""

    def __init__(self, files: PartFiles, names: Sequence[str], compared: int) -> None:
        self.files, self.compared = files, compared
        self.images = _rows(files.images, names, read_parquet(files.images, IMAGES_SCHEMA, ["image_id", "path", "pid", "camid"]).to_pylist())
        table = read_parquet(files.embeddings, columns=["image_id", "visible", "confidence"])
        columns = [vector_column(files.embeddings, table, name) for name in ("visible", "confidence")]  # [N, E] each
        if columns[0].shape[1] != compared:
            raise InputError(f"{files.embeddings}: holds {columns[0].shape[1]} embeddings of an image, {files.summary} names {compared}")
        seen = zip(table["image_id"].to_pylist(), *columns, strict=True)
        self.seen = _rows(files.embeddings, names, [{"image_id": name, "visible": one > 0, "confidence": other} for name, one, other in seen])
        self.maps = _rows(files.maps, names, read_parquet(files.maps, MAPS_SCHEMA).to_pylist())

    def image(self, role: Literal["query", "right", "wrong"], rank: int, name: str, distance: float, apart: Sequence[float]) -> ShownImage:
        """One row; `apart` has a distance per compared embedding, none for the query, none for the foreground where it was left out."""
        about, seen = self.images[name], self.seen[name]
        distances = np.full(self.compared, np.nan)
        distances[self.compared - len(apart) :] = apart
        pixels = load_pixels(Path(about["path"]))
        return ShownImage(role, rank, name, about["pid"], about["camid"], distance, pixels, self._maps(name), seen["visible"], seen["confidence"], distances)

    def _maps(self, name: str) -> np.ndarray:
        """Foreground and parts, float32 [E, h, w]."""
        row = self.maps[name]
        shape = (self.compared - 1, row["height"], row["width"])
        if len(row["maps"]) != shape[0] * shape[1] * shape[2]:
            raise InputError(f"{self.files.maps}: the maps of {name} have {len(row['maps'])} values, expected {shape}")
        parts = np.frombuffer(row["maps"], np.uint8).reshape(shape).astype(np.float32) / 255
        return np.concatenate([parts.max(axis=0, keepdims=True), parts])


def _rows(path: Path, names: Sequence[str], rows: Sequence[dict[str, Any]]) -> Mapping[str, dict[str, Any]]:
    """The rows of `names`, by name."""
    found = {row["image_id"]: row for row in rows if row["image_id"] in names}
    missing = next((name for name in names if name not in found), None)
    if missing is not None:
        raise InputError(f"{path}: no image {missing}, which is ranked")
    return found
