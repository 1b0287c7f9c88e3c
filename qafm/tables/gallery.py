"""gallery.parquet: images that can be searched, one row each, and the model that described them.

Shapes: n rows, D length of a descriptor.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa

from qafm.errors import InputError, one_line
from qafm.tables.parquet import vector_array

FORMAT = 1
HEADER_KEY, CONTENT_KEY = b"qafm", b"qafm_content"
WITHOUT_Q = "+mean-weight"  # behind a model_id: of descriptors that all have the weight of the mean Q
BYTES_PER_GROUP = 2**20  # of descriptors: what a search holds at a time, and what one candidate of an index costs to read back


def same_weights(model_id: str, other: str) -> bool:
    """Whether descriptors come from one network, made with Q or without."""
    return model_id.removesuffix(WITHOUT_Q) == other.removesuffix(WITHOUT_Q)


def q_told(model_id: str) -> str:
    """Whether descriptors were made with Q, in words."""
    return "without Q" if model_id.endswith(WITHOUT_Q) else "with Q"


@dataclass(frozen=True)
class GalleryHeader:
    """What the file says of all its rows, stored as JSON under `qafm` in the metadata of the Parquet file.

    Args:
        model_id: digest of the model's weights; descriptors of different models are not comparable.
        model: the model's name, for people.
        dim: D.
        format: version of the layout.
    """

    model_id: str
    model: str
    dim: int
    format: int = FORMAT

    def encoded(self) -> bytes:
        """The JSON text."""
        return json.dumps(asdict(self), sort_keys=True).encode()

    @classmethod
    def decode(cls, text: bytes) -> "GalleryHeader":
        """Read the JSON text.

        Raises:
            ValueError: it is not a header of a format known here.
        """
        found = json.loads(text)
        if not isinstance(found, dict) or found.get("format") != FORMAT:
            raise ValueError(f"its header is {text[:80]!r}, known is format {FORMAT}")
        try:
            return cls(str(found["model_id"]), str(found["model"]), int(found["dim"]))
        except KeyError as error:
            raise ValueError(f"its header has no {error}") from error


@dataclass(frozen=True)
class GalleryRows:
    """Some images of a gallery. A column that is None is unknown for all of them, an entry that is None (NaN) for one.

    Args:
        image_id: paths as the images were named, POSIX [n].
        sha256: hex digests of the image files [n]; of the pixels, where there is no file. None is refused: it could not be told whether an image changed.
        descriptor: float32 [n, D], of any length but zero; a gallery stores them L2-normalised.
        pid: identities, whole numbers of 32 bits [n]; -1 junk, 0 distractor.
        camid: cameras, 1-based, whole numbers of 16 bits [n].
        q: identifiability Q, float64 [n].
        visual_weight: the weight of the visual branch, float64 [n] in [0, 1].

    Raises:
        InputError: columns have different lengths, or a column holds what its type does not.
    """

    image_id: Sequence[str]
    sha256: Sequence[str]
    descriptor: np.ndarray
    pid: Sequence[int | None] | np.ndarray | None = None
    camid: Sequence[int | None] | np.ndarray | None = None
    q: Sequence[float | None] | np.ndarray | None = None
    visual_weight: Sequence[float | None] | np.ndarray | None = None

    def __post_init__(self) -> None:
        """Check that all columns have one length and can be stored."""
        if self.descriptor.ndim != 2:
            raise InputError(f"gallery rows: descriptors have shape {self.descriptor.shape}, not [n, D]")
        others = (self.image_id, self.sha256, self.pid, self.camid, self.q, self.visual_weight)
        lengths = [len(self.descriptor), *(len(column) for column in others if column is not None)]
        if len(set(lengths)) != 1:
            raise InputError(f"gallery rows: columns have different lengths {lengths}")
        for name in ("image_id", "sha256", *OPTIONAL):
            check_column(name, getattr(self, name))

    def __len__(self) -> int:
        return len(self.descriptor)

    def with_descriptor(self, descriptor: np.ndarray) -> "GalleryRows":
        """The same images with other descriptors."""
        return replace(self, descriptor=descriptor)

    def to_table(self) -> pa.Table:
        """The rows as a table of `gallery_schema`."""
        schema = gallery_schema(self.descriptor.shape[1])
        columns = [_converted(getattr(self, name), schema.field(name), len(self)) for name in ("image_id", "sha256", *OPTIONAL)]
        return pa.table([*columns, vector_array(self.descriptor.astype(np.float32, copy=False))], schema=schema)


def check_column(name: str, column: Sequence[Any] | np.ndarray | None) -> None:
    """Check that a column of a gallery can be stored.

    Raises:
        InputError: names the first entry that its type does not hold.
    """
    field = gallery_schema(1).field(name)
    try:
        _converted(column, field, 0)
    except _UNFIT as error:
        for row, value in enumerate(() if column is None else column):
            try:
                _converted([value], field, 1)
            except _UNFIT:
                raise InputError(f"gallery rows: row {row}: {name} is {value!r}, which is {_MEANT[name]}") from error
        raise InputError(f"gallery rows: {name} holds values of several kinds ({one_line(error)})") from error


OPTIONAL = ("pid", "camid", "q", "visual_weight")
_UNFIT = (ValueError, TypeError, OverflowError, pa.ArrowException)
_MEANT = dict.fromkeys(("image_id", "sha256"), "no text in Unicode") | {
    "pid": "no whole number of 32 bits",
    "camid": "no whole number of 16 bits",
    **dict.fromkeys(("q", "visual_weight"), "no number"),
}


def _converted(column: Sequence[Any] | np.ndarray | None, field: pa.Field, n: int) -> pa.Array:
    """A column as it is stored, NaN as null; one of _UNFIT where that would change a value."""
    if column is None:
        return pa.nulls(n, field.type)
    if not field.nullable:
        texts = pa.array(list(column), pa.string())
        if texts.null_count:
            raise ValueError(f"{field.name} is missing")
        return texts
    found = pa.array(column, from_pandas=True)  # of the type that its values have: with the wanted one, 1.5 would become 1
    if not (pa.types.is_integer(found.type) or pa.types.is_floating(found.type) or pa.types.is_null(found.type)):
        raise TypeError(f"{field.name} holds {found.type}")
    return found.cast(field.type)


def gallery_schema(dim: int, header: GalleryHeader | None = None) -> pa.Schema:
    """Schema for descriptors of length `dim`, with the header of a file if given."""
    return pa.schema(
        [
            pa.field("image_id", pa.string(), nullable=False),  # unique
            pa.field("sha256", pa.string(), nullable=False),
            pa.field("pid", pa.int32()),
            pa.field("camid", pa.int16()),
            pa.field("q", pa.float64()),
            pa.field("visual_weight", pa.float64()),
            pa.field("descriptor", pa.list_(pa.float32(), dim), nullable=False),  # L2-normalised
        ],
        metadata=None if header is None else {HEADER_KEY: header.encoded()},
    )


def rows_per_group(dim: int) -> int:
    """Rows of a row group: 1 MiB of descriptors, at most 65,536 rows."""
    return max(1, min(65536, BYTES_PER_GROUP // (4 * dim)))
