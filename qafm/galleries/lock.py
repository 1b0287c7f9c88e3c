"""One writer at a time: an exclusive lock beside the file that is to be replaced."""

import fcntl
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from qafm.runtime.files import remove_left_over

LOGGER = logging.getLogger("qafm")


@contextmanager
def exclusive_lock(path: Path) -> Iterator[None]:
    """Hold the lock of `path`, waiting for another process or thread that holds it.

    The lock lies in an empty file `.{name}.lock` in the same folder, which stays: who removed it would let two writers hold different files.
    It ends with the process, however that ends. What a killed holder was writing with `whole_file` is removed: nobody else writes while the lock is held.

    Args:
        path: the file that the holder may replace; its folder is made if needed.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.with_name(f".{path.name}.lock").open("ab") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            LOGGER.warning("%s: another process writes to it; waiting", path)
            fcntl.flock(handle, fcntl.LOCK_EX)
        remove_left_over(path)
        yield  # closing the file releases the lock
