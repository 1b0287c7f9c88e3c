import hashlib
import json
import os
import stat
from pathlib import Path

import pytest

from qafm.errors import InputError, reading
from qafm.runtime.files import file_sha256, is_temporary, only_writer, read_json, temporary_name, whole_file, write_json


def test_success_replaces_and_leaves_nothing_else(tmp_path: Path) -> None:
    target = tmp_path / "new" / "table.csv"
    for text in ("first", "second"):
        with whole_file(target) as temporary:
            temporary.write_text(text)
            assert temporary.suffix == ".csv"
        assert target.read_text() == text
    assert list(target.parent.iterdir()) == [target]


@pytest.mark.parametrize("name", ["table.csv", "a+b (1).g.parquet", "no suffix"])
def test_what_is_written_has_a_name_of_its_own(tmp_path: Path, name: str) -> None:
    target = tmp_path / name
    with whole_file(target) as temporary:
        assert is_temporary(target, temporary.name)
        assert not is_temporary(target.with_name(f"x{name}"), temporary.name)
    assert temporary_name(target) != temporary_name(target)
    assert not is_temporary(target, f".{name}.backup01{target.suffix}")


def test_failure_keeps_the_old_file_and_leaves_nothing_else(tmp_path: Path) -> None:
    target = tmp_path / "table.csv"
    target.write_text("old")
    with pytest.raises(RuntimeError, match="boom"), whole_file(target) as temporary:
        temporary.write_text("half")
        raise RuntimeError("boom")
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_the_only_writer_removes_what_a_killed_one_left(tmp_path: Path) -> None:
    target, other = tmp_path / "table.csv", tmp_path / "table.csv2"
    for path in (target, other):
        (tmp_path / temporary_name(path)).write_text("half")
    with whole_file(target) as temporary:  # it may be somebody's who is at work
        temporary.write_text("one")
    assert len(list(tmp_path.iterdir())) == 3
    with only_writer(), whole_file(target) as temporary:
        temporary.write_text("two")
    kept = sorted(path.name for path in tmp_path.iterdir())
    assert kept[1:] == ["table.csv"] and is_temporary(other, kept[0])
    assert target.read_text() == "two"
    (tmp_path / temporary_name(target)).write_text("half")
    with whole_file(target):
        pass
    assert len(list(tmp_path.iterdir())) == 3


def test_a_full_disk_names_the_file(tmp_path: Path) -> None:
    with pytest.raises(OSError, match=r"No space left on device: '.*/table\.csv'$"), whole_file(tmp_path / "table.csv"):
        Path("/dev/full").write_bytes(b"x")
    with pytest.raises(FileNotFoundError, match=r"/absent'$"), whole_file(tmp_path / "table.csv"):
        (tmp_path / "absent").read_bytes()


@pytest.mark.parametrize(("umask", "mode"), [(0o022, 0o644), (0o077, 0o600), (0o002, 0o664)])
def test_a_new_file_has_the_mode_that_the_umask_leaves(tmp_path: Path, umask: int, mode: int) -> None:
    before = os.umask(umask)
    try:
        with whole_file(tmp_path / "table.csv") as temporary:
            assert mode_of(temporary) == 0o600
    finally:
        os.umask(before)
    assert mode_of(tmp_path / "table.csv") == mode


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o664, 0o444])
def test_a_file_that_is_replaced_keeps_its_mode(tmp_path: Path, mode: int) -> None:
    target = tmp_path / "table.csv"
    target.write_text("old")
    target.chmod(mode)
    with whole_file(target) as temporary:
        temporary.write_text("new")
    assert (target.read_text(), mode_of(target)) == ("new", mode)


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_json_is_sorted_and_readable(tmp_path: Path) -> None:
    write_json(tmp_path / "a.json", {"b": 1, "a": "é"})
    text = (tmp_path / "a.json").read_text(encoding="utf-8")
    assert json.loads(text) == {"b": 1, "a": "é"}
    assert text.index('"a"') < text.index('"b"')
    assert "é" in text


def test_digest_is_the_files_sha256(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"abc" * 100_000)
    assert file_sha256(tmp_path / "x") == hashlib.sha256(b"abc" * 100_000).hexdigest()


def test_a_misread_file_is_named_with_the_reason(tmp_path: Path) -> None:
    path = tmp_path / "a.json"

    def read() -> int:
        with reading(path, "is no count"):
            content = read_json(path)
            if content["n"] < 0:
                raise InputError(f"{path}: counts {content['n']}")
            return content["n"]

    for text in (None, "{", "[1]", '{"m": 1}', '{"n": "x"}'):
        if text is not None:
            path.write_text(text)
        with pytest.raises(InputError, match=r"a\.json: is no count \(.+\)$"):
            read()
    with pytest.raises(InputError) as caught, reading(path, "is no run"):
        raise ValueError("two\nlines")
    assert "\n" not in str(caught.value)
    path.write_text('{"n": -1}')
    with pytest.raises(InputError, match=r"a\.json: counts -1$"):
        read()
    write_json(path, {"n": 2})
    assert read() == 2
