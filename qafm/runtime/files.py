"""Files appear whole or not at all."""

import errno
import hashlib
import json
import os
import re
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_ONLY_WRITER = ContextVar("only_writer", default=False)


def temporary_name(path: Path) -> str:
    """A new name for what is to become `path`: hidden, told from any file of somebody else's, of the same suffix."""
    return f".{path.name}.unfinished-{secrets.token_hex(4)}{path.suffix}"


def is_temporary(path: Path, name: str) -> bool:
    """Whether `temporary_name` gives `name` to `path`."""
    return re.fullmatch(rf"\.{re.escape(path.name)}\.unfinished-[0-9a-f]{{8}}{re.escape(path.suffix)}", name) is not None


@contextmanager
def only_writer() -> Iterator[None]:
    """Around work whose files nobody else writes meanwhile: there `whole_file` first removes what a killed writer of the same file has left."""
    token = _ONLY_WRITER.set(True)
    try:
        yield
    finally:
        _ONLY_WRITER.reset(token)


def remove_left_over(path: Path) -> None:
    """Remove what killed writers of `path` have left half-written beside it; for whoever knows that nobody else writes it."""
    for other in path.parent.iterdir():
        if is_temporary(path, other.name):
            other.unlink(missing_ok=True)


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; on success it replaces `path` and takes its mode, on any error it is removed.

    Args:
        path: the file to write; its folder is made if needed. One that is not there yet gets the mode of any new file.

    Raises:
        OSError: it cannot be written; a full disk names `path`.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    if _ONLY_WRITER.get():
        remove_left_over(path)
    temporary = path.with_name(temporary_name(path))
    os.close(os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))  # with the mode that the umask leaves of it
    mode = stat.S_IMODE((path if path.exists() else temporary).stat().st_mode)
    temporary.chmod(0o600)  # nobody else reads half a file
    try:
        yield temporary
        temporary.chmod(mode)
        flush_to_disk(temporary)
        temporary.replace(path)
    except OSError as error:
        if error.errno in _FULL and error.filename is None:  # a write that fails does not know its file
            error.filename = str(path)
        raise
    finally:
        temporary.unlink(missing_ok=True)


def flush_to_disk(path: Path) -> None:
    """Have a file's content on the disk, so that a power cut after its renaming leaves no empty file."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_json(path: Path, content: Any) -> None:
    """Write `content` as indented JSON with sorted keys, whole or not at all."""
    with whole_file(path) as temporary:
        temporary.write_text(json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False) + "\n", encoding="utf-8")


def read_json(path: Path) -> Any:
    """What a JSON file holds.

    Raises:
        OSError: it cannot be read.
        ValueError: it is no JSON in UTF-8.
    """
    return json.loads(path.read_text(encoding="utf-8"))


def file_sha256(path: Path) -> str:
    """Hex SHA-256 of a file's bytes."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
