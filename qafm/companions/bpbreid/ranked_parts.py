"""A query and its first ranks with everything the picture with part maps shows of them.

K parts, E embeddings that are compared (the foreground unless it is left out, then the parts); H x W an image as it is drawn, h x w a map.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from qafm.companions.bpbreid.part_tables import MAPS_SCHEMA, PART_RANKING_SCHEMA, compared_embeddings
from qafm.errors import InputError, reading
from qafm.evaluation.join_labels import vector_column
from qafm.figures.drawing.image_grid import load_pixels
from qafm.runtime.files import read_json
from qafm.tables.images import IMAGES_SCHEMA
from qafm.tables.parquet import ROWS_PER_GROUP, open_parquet, read_parquet

Row = TypeVar("Row")


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
        apart: distance of each embedding to the query's, float [E]; NaN for the query itself.
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
    """A query and its first ranks, the query first; `compared` names the E embeddings; `ap` is None where nothing right is in the gallery."""

    compared: list[str]
    ap: float | None
    shown: list[ShownImage]


def read_ranked_parts(files: PartFiles, query: str, depth: int, *, foreground: bool) -> RankedParts:
    """Read a query and its first `depth` ranks, fewer where the gallery has fewer.

    Args:
        files: the images, and the tables of one variant and seed.
        query: image_id of the query.
        depth: ranks to read.
        foreground: whether the ranking compares the first embedding beside the others.

    Raises:
        InputError: the query is not ranked, an image is missing in a table or cannot be read, or a table is damaged.
    """
    row = next(iter(read_parquet(files.ranking, PART_RANKING_SCHEMA).filter(pc.field("image_id") == query).to_pylist()), None)
    if row is None:
        raise InputError(f"{files.ranking}: no query {query}")
    with reading(files.summary, "is no summary of embed_bpbreid"):
        embedded: list[str] = list(read_json(files.summary)["compared"])
    kept = compared_embeddings(len(embedded), foreground=foreground)
    names = [query, *row["gallery_id"][:depth]]
    known = _Known(files, names, len(embedded), kept)
    compared = embedded[kept]
    shown = [known.image("query", 0, query, 0.0, np.full(len(compared), np.nan))]
    ranked = zip(names[1:], row["right"], row["distance"], row["part_distance"], strict=False)
    for rank, (name, right, distance, apart) in enumerate(ranked, start=1):
        if len(apart) != len(compared):
            raise InputError(f"{files.ranking}: {len(apart)} embeddings of {name} are compared with {query}'s, expected {len(compared)}")
        shown.append(known.image("right" if right else "wrong", rank, name, distance, np.array(apart)))
    return RankedParts(compared, row["ap"], shown)


class _Known:
    """What the tables say of some images; of `embedded` embeddings the `kept` ones, E."""

    def __init__(self, files: PartFiles, names: Sequence[str], embedded: int, kept: slice) -> None:
        self.files, self.embedded, self.kept = files, embedded, kept
        self.images = _rows(files.images, names, IMAGES_SCHEMA, ["image_id", "path", "pid", "camid"])
        self.seen = self._seen(names)
        self.maps = _rows(files.maps, names, MAPS_SCHEMA)

    def image(self, role: Literal["query", "right", "wrong"], rank: int, name: str, distance: float, apart: np.ndarray) -> ShownImage:
        """One row; `apart` [E] are the distances of its embeddings to the query's."""
        about, (visible, confidence) = self.images[name], self.seen[name]
        pixels = load_pixels(Path(about["path"]))
        return ShownImage(role, rank, name, about["pid"], about["camid"], distance, pixels, self._maps(name), visible, confidence, apart)

    def _seen(self, names: Sequence[str]) -> Mapping[str, tuple[np.ndarray, np.ndarray]]:
        """What each image shows, bool [E], and how surely, float32 [E]."""
        path = self.files.embeddings
        table = read_parquet(path, columns=["image_id", "visible", "confidence"])
        visible, confidence = (vector_column(path, table, name) for name in ("visible", "confidence"))
        if visible.shape[1] != self.embedded:
            raise InputError(f"{path}: holds {visible.shape[1]} embeddings of an image, {self.files.summary} names {self.embedded}")
        rows = np.flatnonzero(np.isin(table["image_id"].to_numpy(), names))
        found = zip(table["image_id"].take(rows).to_pylist(), visible[rows, self.kept] > 0, confidence[rows, self.kept], strict=True)
        return _complete(path, names, {name: (shown, sure) for name, shown, sure in found})

    def _maps(self, name: str) -> np.ndarray:
        """Of the foreground, the largest of all parts, and of the parts, what is kept: float32 [E, h, w]."""
        row = self.maps[name]
        shape = (self.embedded - 1, row["height"], row["width"])
        if len(row["maps"]) != shape[0] * shape[1] * shape[2]:
            raise InputError(f"{self.files.maps}: the maps of {name} have {len(row['maps'])} values, expected {shape}")
        parts = np.frombuffer(row["maps"], np.uint8).reshape(shape).astype(np.float32) / 255
        return np.concatenate([parts.max(axis=0, keepdims=True), parts])[self.kept]


def _rows(path: Path, names: Sequence[str], schema: pa.Schema, columns: list[str] | None = None) -> Mapping[str, dict[str, Any]]:
    """The rows of `names`, by name; a table of a whole data set is read in bounded memory."""
    found, wanted = {}, pc.field("image_id").isin(names)
    with reading(path, "cannot be read as Parquet"), open_parquet(path, schema) as file:
        for batch in file.iter_batches(batch_size=ROWS_PER_GROUP, columns=columns):
            found |= {row["image_id"]: row for row in batch.filter(wanted).to_pylist()}
    return _complete(path, names, found)


def _complete(path: Path, names: Sequence[str], found: Mapping[str, Row]) -> Mapping[str, Row]:
    """`found`, which must hold all `names`."""
    missing = next((name for name in names if name not in found), None)
    if missing is not None:
        raise InputError(f"{path}: no image {missing}, which is ranked")
    return found
