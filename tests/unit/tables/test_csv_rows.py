"""CSV tables are read whole or refused in one line."""

from pathlib import Path

import pytest

from qafm.errors import InputError
from qafm.tables.csv_rows import read_rows


def test_cells_are_text(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text('a,b,c\n1,,"x, y"\n2,Größe,\n', encoding="utf-8")
    assert read_rows(path, ("c", "a")) == [{"a": "1", "b": "", "c": "x, y"}, {"a": "2", "b": "Größe", "c": ""}]
    path.write_text("a,b\n")
    assert read_rows(path, ()) == []
    path.write_text("a,b\n1,2\n", encoding="utf-8-sig")  # as spreadsheets save it
    assert read_rows(path, ("a",)) == [{"a": "1", "b": "2"}]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"a,c\n1,2\n", r"has no column 'b'$"),
        (b"", r"has no column 'a'$"),
        (b"a,b\n1,2\n1\n", r"row 2 has another number of cells than the header$"),
        (b"a,b\n1,2,3\n", r"row 1 has another number of cells than the header$"),
        (b"a,b\n\xff\xfe,2\n", r"cannot be read as CSV"),
        (None, r"cannot be read as CSV"),
    ],
)
def test_bad_tables_are_named(tmp_path: Path, content: bytes | None, reason: str) -> None:
    if content is not None:
        (tmp_path / "t.csv").write_bytes(content)
    with pytest.raises(InputError, match=rf"^[^\n]*t\.csv: {reason}"):
        read_rows(tmp_path / "t.csv", ("a", "b"))
