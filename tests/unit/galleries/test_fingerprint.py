"""What an index knows its gallery by."""

from collections.abc import Sequence
from pathlib import Path

from qafm.galleries.append_gallery import append_gallery
from qafm.galleries.gallery import Gallery
from qafm.tables.gallery import GalleryRows
from tests.unit.galleries.conftest import MODEL, made_up, rows_of


def fingerprint(path: Path, rows: GalleryRows) -> str:
    """That of a new gallery of these rows."""
    append_gallery(path, [rows], **MODEL)
    with Gallery(path) as opened:
        return opened.fingerprint


def test_same_images_make_the_same_bytes_and_another_content_another_fingerprint(tmp_path: Path) -> None:
    contents = [None, None, [f"other-{i}" for i in range(20)]]
    paths = [tmp_path / f"{i}.parquet" for i in range(3)]
    prints = [fingerprint(path, rows_of(made_up(20), content=content)) for path, content in zip(paths, contents, strict=True)]
    assert paths[0].read_bytes() == paths[1].read_bytes()
    assert prints[0] == prints[1] != prints[2]


def test_images_that_trade_contents_or_identities_make_another_fingerprint(tmp_path: Path) -> None:
    """Numbers, sizes and extremes of all columns stay: an index of the one gallery must not be taken for the other's."""
    content, pid, swapped = [f"sha-{i:02d}" for i in range(20)], list(range(1, 21)), [*range(9), 10, 9, *range(11, 20)]

    def print_of(name: str, contents: Sequence[str], pids: Sequence[int]) -> str:
        return fingerprint(tmp_path / f"{name}.parquet", GalleryRows([f"{i:02d}.jpg" for i in range(20)], contents, made_up(20), pid=pids))

    prints = [print_of("a", content, pid), print_of("b", [content[i] for i in swapped], pid), print_of("c", content, [pid[i] for i in swapped])]
    assert len(set(prints)) == 3
