"""Who holds the lock of a file finds what a killed writer left, and takes nothing else for it."""

from pathlib import Path

from qafm.galleries.lock import exclusive_lock
from qafm.runtime.files import temporary_name


def test_left_overs_of_this_file_go_and_files_of_others_stay(tmp_path: Path) -> None:
    path = tmp_path / "g.parquet"
    left_over = path.with_name(temporary_name(path))
    foreign = [
        path,
        path.with_name(temporary_name(tmp_path / "other.parquet")),
        path.with_name(temporary_name(tmp_path / "g.npz")),
        *(tmp_path / f".g.parquet.{name}.parquet" for name in ("backup01", "20260101", "deadbeef")),
        tmp_path / f"{left_over.name}.parquet",
    ]
    for file in (left_over, *foreign):
        file.touch()
    with exclusive_lock(path):
        assert set(tmp_path.iterdir()) == {*foreign, tmp_path / ".g.parquet.lock"}
