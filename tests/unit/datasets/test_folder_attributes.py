"""attributes.csv of a folder data set."""

import errno
from pathlib import Path

import pytest

from qafm.datasets.folder_attributes import read_folder_attributes
from qafm.errors import InputError


def csv(tmp_path: Path, text: str, encoding: str = "utf-8") -> Path:
    path = tmp_path / "attributes.csv"
    path.write_bytes(text.encode(encoding))
    return path


def test_words_codes_and_unknowns(tmp_path: Path) -> None:
    path = csv(tmp_path, "down_color,identity,gender,age,up_color,hat\r\nGrey, 001 ,2,4,,1\r\n brown,анна,Male,teenager,green,\r\n", "utf-8-sig")
    none = (None,) * 4
    assert read_folder_attributes(path) == {
        "001": (1, None, None, None, None, 0, *none[:3], 3, None, 5),
        "анна": (0, None, None, None, None, None, *none[:3], 1, 7, 8),
    }


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "no column 'identity' in the first row, which is empty"),
        ("id,gender\n1,1\n", "no column 'identity' in the first row, whose columns between commas are 'id', 'gender'"),
        ("identity;gender\n1;1\n", "no column 'identity' in the first row, whose columns between commas are 'identity;gender'"),
        ("identity,sex\n1,1\n", "unknown column 'sex'; the attributes are gender, hair, .*"),
        ("identity,hat,hat\n1,1,1\n", "a column appears twice"),
        ("identity,hat\n1,1\n2,3\n", r"row 3 \(identity 2\): hat '3' is not 1\.\.2 or one of no, yes"),
        ("identity,hat\n1,0\n", r"row 2 \(identity 1\): hat '0' is not 1\.\.2 or one of no, yes"),
        ("identity,up_color\n1,3\n", r"row 2 \(identity 1\): up_color '3' is not one of black, white, red, .*"),
        ("identity,up_color\n1,pink\n", r"row 2 \(identity 1\): up_color 'pink' is not one of black, .*"),
        ("identity,hat\n1,1\n1,1\n", "row 3: identity 1 a second time"),
        ("identity,hat\n,1\n", "row 2: no identity"),
        ("identity,hat\n1,1,1\n", "row 2: more values than columns"),
    ],
)
def test_bad_rows_are_named(tmp_path: Path, text: str, reason: str) -> None:
    with pytest.raises(InputError, match=rf"^.*attributes\.csv: {reason}$"):
        read_folder_attributes(csv(tmp_path, text))


def test_bad_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"attributes\.csv: no such attribute file$"):
        read_folder_attributes(tmp_path / "attributes.csv")
    with pytest.raises(InputError, match=r"attributes\.csv: cannot be read as a UTF-8 CSV file"):
        read_folder_attributes(csv(tmp_path, "identity,hat\nü,1\n", "latin-1"))


def test_a_file_that_may_not_be_read_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = csv(tmp_path, "identity,hat\n1,1\n")

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(InputError, match=r"^.*attributes\.csv: cannot be read as a UTF-8 CSV file \(.*Permission denied.*\)$"):
        read_folder_attributes(path)


def test_an_accent_may_be_written_in_two_ways(tmp_path: Path) -> None:
    assert list(read_folder_attributes(csv(tmp_path, "identity,hat\nZoe\u0308,1\n"))) == ["Zo\u00eb"]


def test_a_short_row_is_unknown(tmp_path: Path) -> None:
    assert read_folder_attributes(csv(tmp_path, "identity,gender,hat\n1,2\n"))["1"][:6] == (1, None, None, None, None, None)


def test_the_attributes_of_col780(shared: Path) -> None:
    attributes = read_folder_attributes(shared / "data" / "col780" / "attributes.csv")
    assert len(attributes) == 74
    assert attributes["001"] == (1, 1, 0, 1, 0, 0, 0, 0, 0, None, 5, 0)
    assert {codes[9] for codes in attributes.values()} == {None}
    assert attributes["102"][10:] == (None, None)
