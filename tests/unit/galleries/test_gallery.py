"""What a gallery's header promises is checked before a row is read."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from qafm.errors import InputError
from qafm.galleries.gallery import Gallery


def test_other_columns_are_told(gallery: Path) -> None:
    table = pq.read_table(gallery)
    pq.write_table(table.drop_columns(["q"]), gallery)
    with pytest.raises(InputError, match=rf"^{gallery}: columns are \[.*\], expected \[.*'q'.*\]$"):
        Gallery(gallery)
    at = table.schema.get_field_index("camid")
    pq.write_table(table.set_column(at, "camid", table["camid"].cast(pa.int32())), gallery)
    with pytest.raises(InputError, match=f"^{gallery}: column camid holds int32, expected int16$"):
        Gallery(gallery)
