"""The digest of an image folder."""

import csv
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from qafm.config.parse import FoldersConfig, Market1501Config, ParseConfig
from qafm.datasets import folder_digest as module
from qafm.datasets.folder_digest import ABSENT, GENERATED, dataset_digest, folder_digest, generated_digest
from qafm.errors import InputError


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    for name in ("a/1.jpg", "a/2.jpg", "b/ü.PNG"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(name.encode())
    return folder


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "results" / "cache.json"


MARKET = ("bounding_box_train", "query", "bounding_box_test")


@pytest.fixture
def made(tmp_path: Path) -> Path:
    """A generated set: its images, and a mask that the manifest does not name."""
    folder = tmp_path / "raw"
    for name in ("query/a/1.jpg", "bounding_box_train/a/1.jpg", "bounding_box_test/a/2.jpg", "masks/query/1.png"):
        (folder / name).parent.mkdir(parents=True)
        (folder / name).write_bytes(name.encode())
    return folder


@pytest.fixture
def manifest(tmp_path: Path, made: Path) -> Path:
    path = tmp_path / "manifest.csv"
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(["path", "sha256", "level"])
        for file in sorted(made.rglob("*.jpg")):
            writer.writerow([file.relative_to(made).as_posix(), hashlib.sha256(file.read_bytes()).hexdigest(), 1])
    return path


def move_clock(path: Path) -> None:
    status = path.stat()
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns + 5_000_000_000))


def add(root: Path) -> None:
    (root / "a" / "3.jpg").write_bytes(b"new")


def remove(root: Path) -> None:
    (root / "a" / "2.jpg").unlink()


def replace(root: Path) -> None:
    (root / "a" / "2.jpg").write_bytes(b"other")
    move_clock(root / "a" / "2.jpg")


def replace_same_size(root: Path) -> None:
    (root / "a" / "2.jpg").write_bytes(b"A/2.JPG")
    move_clock(root / "a" / "2.jpg")


def rename(root: Path) -> None:
    (root / "a" / "2.jpg").rename(root / "a" / "22.jpg")


CHANGES = (add, remove, replace, replace_same_size, rename)


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_gives_another_digest(root: Path, cache: Path, change: Callable[[Path], None]) -> None:
    before = folder_digest(root, cache)
    change(root)
    assert folder_digest(root, cache) != before


def test_a_touched_or_copied_or_linked_folder_gives_the_same_digest(root: Path, cache: Path, tmp_path: Path) -> None:
    before = folder_digest(root, cache)
    move_clock(root / "a" / "1.jpg")
    assert folder_digest(root, cache) == before
    shutil.copytree(root, tmp_path / "copy")
    assert folder_digest(tmp_path / "copy", tmp_path / "other.json") == before
    (tmp_path / "link").symlink_to(root)
    assert folder_digest(tmp_path / "link", tmp_path / "third.json") == before


def test_hidden_files_and_thumbs_do_not_count(root: Path, cache: Path) -> None:
    before = folder_digest(root, cache)
    for name in (".DS_Store", "a/Thumbs.db", "b/desktop.ini", ".cache/x.jpg"):
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_bytes(b"x")
    assert folder_digest(root, cache) == before


def test_only_the_named_folders_count(root: Path, cache: Path, tmp_path: Path) -> None:
    before = folder_digest(root, cache, ("a", "absent"))
    (root / "b" / "new.jpg").write_bytes(b"new")
    assert folder_digest(root, cache, ("a", "absent")) == before
    add(root)
    assert folder_digest(root, cache, ("a", "absent")) != before
    assert folder_digest(root, tmp_path / "2.json", ("a",)) != folder_digest(root, tmp_path / "3.json", ("b",))


def test_contents_are_read_once(root: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []

    def spy(path: Path) -> str:
        read.append(path.name)
        return hashlib.sha256(path.read_bytes()).hexdigest()

    monkeypatch.setattr(module, "file_sha256", spy)
    folder_digest(root, cache)
    assert sorted(read) == ["1.jpg", "2.jpg", "ü.PNG"]
    read.clear()
    stamp = cache.stat().st_mtime_ns
    folder_digest(root, cache)
    assert read == []
    assert cache.stat().st_mtime_ns == stamp
    move_clock(root / "a" / "1.jpg")
    folder_digest(root, cache)
    assert read == ["1.jpg"]


@pytest.mark.parametrize("content", ["", "[1]", '{"a/1.jpg": 3}', '{"a/1.jpg": [1, 2, "x"]}'])
def test_a_broken_cache_is_rebuilt(root: Path, cache: Path, content: str) -> None:
    before = folder_digest(root, cache)
    good = cache.read_text()
    cache.write_text(content)
    assert folder_digest(root, cache) == before
    assert cache.read_text() == good


def test_odd_files_do_not_stop_it(root: Path, cache: Path) -> None:
    before = folder_digest(root, cache)
    (root / "a" / "dangling.jpg").symlink_to("nowhere")
    with_link = folder_digest(root, cache)
    assert with_link != before
    assert folder_digest(root, cache) == with_link


def test_an_absent_folder_is_said_to_be_absent(cache: Path, tmp_path: Path) -> None:
    assert folder_digest(tmp_path / "nowhere", cache) == ABSENT


def test_generated_is_constant_before_and_after_making(made: Path, manifest: Path, cache: Path, tmp_path: Path) -> None:
    assert generated_digest(tmp_path / "nowhere", manifest, cache) == GENERATED
    assert generated_digest(made, tmp_path / "none.csv", cache) == GENERATED
    assert generated_digest(made, manifest, cache) == GENERATED
    move_clock(made / "query" / "a" / "1.jpg")
    (made / "query" / "notes.txt").write_text("not an image")
    (made / "masks" / "query" / "2.png").write_text("not read by the parser")
    assert generated_digest(made, manifest, cache) == GENERATED


@pytest.mark.parametrize("change", CHANGES)
def test_generated_notices_a_change(made: Path, manifest: Path, cache: Path, change: Callable[[Path], None]) -> None:
    change(made / "bounding_box_test")
    assert generated_digest(made, manifest, cache) == folder_digest(made, cache, MARKET) != GENERATED


def test_manifest_without_its_columns_is_named(made: Path, manifest: Path, cache: Path) -> None:
    manifest.write_text("file,sha256\n")
    with pytest.raises(InputError, match=r"manifest\.csv: no columns path and sha256$"):
        generated_digest(made, manifest, cache)


def test_dataset_digest_reads_what_the_parser_reads(root: Path, made: Path, manifest: Path, cache: Path, tmp_path: Path) -> None:
    folders = ParseConfig(kind="folders", folders=FoldersConfig(root="x", pool=("a",)))
    assert dataset_digest(folders, root, manifest, cache) == folder_digest(root, cache, ("a",))
    assert dataset_digest(ParseConfig(kind="synthetic"), made, manifest, cache) == GENERATED
    market = ParseConfig(kind="market1501", market1501=Market1501Config(root="x"))
    assert dataset_digest(market, root, manifest, cache) == ABSENT
    for name in (*MARKET, "gt_bbox"):
        (tmp_path / "m" / "Market" / name).mkdir(parents=True)
        (tmp_path / "m" / "Market" / name / "x.jpg").write_bytes(b"x")
    before = dataset_digest(market, tmp_path / "m", manifest, cache)
    (tmp_path / "m" / "Market" / "gt_bbox" / "x.jpg").unlink()
    assert dataset_digest(market, tmp_path / "m", manifest, cache) == before
    (tmp_path / "m" / "Market" / "query" / "x.jpg").unlink()
    assert dataset_digest(market, tmp_path / "m", manifest, cache) != before


def test_nothing_heavy_is_imported(project: Path) -> None:
    code = "import sys, qafm.datasets.folder_digest; print(sorted({'torch', 'cv2', 'numpy', 'pyarrow', 'scipy', 'pandas'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=project)
    assert done.stdout.strip() == "[]"
