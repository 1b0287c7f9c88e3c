"""Which gallery images do not count for which query.

Shapes: Q queries, n rows of a block, P pairs of a query and a row.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from qafm.errors import InputError

_NO_GROUP = -1


@dataclass(frozen=True)
class Exclusions:
    """Per query, what the gallery images must not share with it; None (for all queries or for one) excludes nothing.

    Args:
        sha256: content of the query image: the image itself is not found again [Q].
        camid: the query's camera: images of the same camera are dropped [Q].
        pid: an identity whose images are dropped [Q].
    """

    sha256: Sequence[str | None] | None = None
    camid: Sequence[int | None] | np.ndarray | None = None
    pid: Sequence[int | None] | np.ndarray | None = None

    @property
    def columns(self) -> list[str]:
        """Columns of the gallery that decide."""
        return [name for name in ("sha256", "camid", "pid") if getattr(self, name) is not None]

    def check(self, queries: int) -> None:
        """Check that there is one value per query.

        Raises:
            InputError: a column has another length.
        """
        for name in self.columns:
            if len(getattr(self, name)) != queries:
                raise InputError(f"search: {name} of the queries has {len(getattr(self, name))} values for {queries} queries")

    def take(self, queries: np.ndarray) -> "Exclusions":
        """Those of some queries: indices."""
        return Exclusions(**{name: [getattr(self, name)[query] for query in queries] for name in self.columns})

    def groups(self) -> list[tuple[str, pa.Array, np.ndarray]]:
        """Per deciding column: its name, the distinct values of the queries, and the index among them of each query [Q], -1 where it has none."""
        found = []
        for name in self.columns:
            values = pa.array(getattr(self, name), pa.string() if name == "sha256" else pa.int32(), from_pandas=True)
            distinct = values.unique().drop_null()
            found.append((name, distinct, _positions(values, distinct)))
        return found


NOTHING = Exclusions()


class Removed:
    """The exclusions of `queries` queries, ready to be applied block by block.

    Attributes:
        columns: columns of the gallery that decide.
    """

    def __init__(self, exclusions: Exclusions, queries: int) -> None:
        exclusions.check(queries)
        self.columns = exclusions.columns
        self._groups = exclusions.groups()

    def pairs(self, table: pa.Table, query: np.ndarray, row: np.ndarray) -> np.ndarray:
        """Whether rows of the block `table` are removed for queries, bool; the indices `query` and `row` broadcast: [P] and [P], or [Q, 1] and [n]."""
        gone = np.zeros(np.broadcast_shapes(query.shape, row.shape), bool)
        for name, distinct, of_query in self._groups:
            of_row = _positions(table[name].combine_chunks().cast(distinct.type), distinct)  # [n]
            if (of_row != _NO_GROUP).any():
                gone |= (of_row[row] == of_query[query]) & (of_row[row] != _NO_GROUP)
        return gone


def _positions(values: pa.Array, distinct: pa.Array) -> np.ndarray:
    found = pc.index_in(values, value_set=distinct, skip_nulls=True)  # pyright: ignore[reportAttributeAccessIssue]
    return found.fill_null(_NO_GROUP).to_numpy(zero_copy_only=False)
