"""The one exception of bad input: always one line that a terminal and a log can show."""

import pickle

import pytest

from qafm.errors import InputError, one_line


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("a b  c.jpg", "a b  c.jpg"),  # blanks belong to the name
        ("Größe 雪 é\u0301.jpg", "Größe 雪 é\u0301.jpg"),
        ("two\nlines\r.jpg", r"two\nlines\r.jpg"),
        ("red\x1b[31m\x07.jpg", r"red\x1b[31m\x07.jpg"),
        ("odd\u2028\u2029\x85.jpg", r"odd\u2028\u2029\x85.jpg"),
        ("bytes\udcff.jpg", r"bytes\udcff.jpg"),  # a name that is no UTF-8, as Python reads it
    ],
)
def test_an_error_is_one_line_whatever_a_file_is_called(name: str, shown: str) -> None:
    error = InputError(f"{name}: no such file")
    assert str(error) == f"{shown}: no such file"
    str(error).encode("utf-8")
    assert len(str(error).splitlines()) == 1
    assert str(pickle.loads(pickle.dumps(error))) == str(error)


def test_another_error_in_one_line() -> None:
    assert one_line(ValueError("1 error\n  field:   missing\n")) == "1 error field: missing"
    assert one_line(ValueError("x" * 300), limit=200) == "x" * 200
