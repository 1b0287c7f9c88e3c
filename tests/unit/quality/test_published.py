from pathlib import Path

import pytest

from qafm.errors import InputError
from qafm.quality.published import published_of, read_published


def write(folder: Path, text: str) -> Path:
    path = folder / "q.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_names_and_values(tmp_path: Path) -> None:
    text = "file,q\na.jpg,11.5\nb.jpg.jpg,9\n"
    assert read_published(write(tmp_path, text)) == {"a.jpg": 11.5, "b.jpg.jpg": 9.0}
    assert read_published(write(tmp_path, f"\ufeff{text}")) == {"a.jpg": 11.5, "b.jpg.jpg": 9.0}  # as spreadsheets save it


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name,q\na.jpg,1\n", "the first line is not file,q"),
        ("", "the first line is not file,q"),
        ("file,q\na.jpg,1\nb.jpg\n", "line 3 has 1 columns, expected 2"),
        ("file,q\na.jpg,high\n", "line 2: 'high' is not a number"),
        ("file,q\na.jpg,nan\n", "line 2: 'nan' is not finite"),
        ("file,q\na.jpg,-inf\n", "line 2: '-inf' is not finite"),
        ("file,q\na.jpg,1\na.jpg,1\n", "line 3 gives a.jpg a second value"),
    ],
)
def test_bad_rows_are_named(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(InputError, match=rf"q\.csv: {message}"):
        read_published(write(tmp_path, text))


def test_a_missing_or_undecodable_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none\.csv: cannot be read as CSV"):
        read_published(tmp_path / "none.csv")
    (tmp_path / "bytes.csv").write_bytes(b"file,q\n\xff\xfe,1\n")
    with pytest.raises(InputError, match=r"bytes\.csv: cannot be read as CSV"):
        read_published(tmp_path / "bytes.csv")


def test_the_published_values_are_those_of_the_paper(shared: Path) -> None:
    values = read_published(shared / "data" / "market1501" / "published_q.csv")
    assert len(values) == 29_419
    assert not any(name.startswith(("0000", "-1")) for name in values)


def test_values_are_found_by_image_id_or_by_name(tmp_path: Path) -> None:
    path = tmp_path / "q.csv"
    path.write_text("file,q\na/1.jpg,1\nb/1.jpg,2\n2.jpg,3\nnobody.jpg,4\n")
    assert published_of(path, ["a/1.jpg", "b/1.jpg", "b/2.jpg", "b/3.jpg"]) == {"a/1.jpg": 1.0, "b/1.jpg": 2.0, "b/2.jpg": 3.0}
    for images in (["b/2.jpg", "c/2.jpg"], ["2.jpg", "c/2.jpg"], ["c/2.jpg", "2.jpg"]):
        with pytest.raises(InputError, match=rf"q.csv: 2.jpg is the name of two images, {images[0]} and {images[1]}; name them with their folders"):
            published_of(path, images)
