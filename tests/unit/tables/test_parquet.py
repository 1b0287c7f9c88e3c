"""What is read is checked before it is used: whole, with the columns and types of its schema."""

from pathlib import Path

import pyarrow as pa
import pytest

from qafm.errors import InputError
from qafm.tables.parquet import open_parquet, read_parquet, write_parquet

SCHEMA = pa.schema([("a", pa.int32()), ("b", pa.string())])


@pytest.fixture
def path(tmp_path: Path) -> Path:
    write_parquet(tmp_path / "t.parquet", pa.Table.from_pylist([{"a": 1, "b": "x"}], SCHEMA))
    return tmp_path / "t.parquet"


def test_a_table_of_the_schema_is_read_whole_or_in_part(path: Path) -> None:
    assert read_parquet(path, SCHEMA).to_pylist() == [{"a": 1, "b": "x"}]
    assert read_parquet(path, SCHEMA, ["b"]).to_pylist() == [{"b": "x"}]
    assert open_parquet(path, SCHEMA).read().to_pylist() == [{"a": 1, "b": "x"}]


@pytest.mark.parametrize("read", [read_parquet, open_parquet])
@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        (pa.schema([("a", pa.int32())]), r"t\.parquet: columns are \['a', 'b'\], expected \['a'\]"),
        (pa.schema([("a", pa.int64()), ("b", pa.string())]), r"t\.parquet: column a holds int32, expected int64"),
    ],
)
def test_other_columns_and_types_are_named(path: Path, read, wanted: pa.Schema, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read(path, wanted)


@pytest.mark.parametrize("read", [read_parquet, open_parquet])
def test_a_path_that_is_not_utf_8_is_named(path: Path, read) -> None:
    odd = path.rename(path.with_name("\udcff.parquet"))
    with pytest.raises(InputError, match=r"\\udcff\.parquet: cannot be read as Parquet"):
        read(odd, SCHEMA)


@pytest.mark.parametrize("read", [read_parquet, open_parquet])
def test_a_cut_or_missing_file_is_named(path: Path, read) -> None:
    path.write_bytes(path.read_bytes()[:-9])
    for broken in (path, path.with_name("none.parquet")):
        with pytest.raises(InputError, match=rf"{broken.name}: cannot be read as Parquet"):
            read(broken, SCHEMA)
