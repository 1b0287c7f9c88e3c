"""A digest of the image folder, so that an added, removed or replaced image runs parse_dataset again and a touched or copied one does not.

It is computed while Snakemake builds the DAG: nothing heavy is imported, and content hashes are cached by size and time.
"""

import csv
import hashlib
import json
from pathlib import Path

from qafm.config.parse import ParseConfig
from qafm.datasets.entry import is_image_name, list_files, printable
from qafm.datasets.market_root import MARKET_FOLDERS, find_market_root
from qafm.errors import InputError
from qafm.runtime.files import file_sha256, write_json

GENERATED = "generated"
ABSENT = "absent"
UNREADABLE = (-1, -1, "unreadable")
_LEFT_BY_FILE_BROWSERS = frozenset({"thumbs.db", "desktop.ini"})

Hashes = dict[str, tuple[int, int, str]]  # relative name -> size, mtime_ns, sha256


def dataset_digest(config: ParseConfig, root: Path, manifest: Path, cache: Path) -> str:
    """Digest of everything parse_dataset reads below the root of its images, by kind of data set.

    Args:
        config: the slice of rule parse_dataset.
        root: the root as configured, or the folder of the generated set.
        manifest: the generated set's list of files; not used by the other kinds.
        cache: as for `folder_digest`; one file per data set.

    Returns:
        As `generated_digest` or `folder_digest`; "absent" where Market-1501's folders are not found.

    Raises:
        InputError: as they do.
    """
    if config.kind == "synthetic":
        return generated_digest(root, manifest, cache)
    if config.folders is not None:
        return folder_digest(root, cache, config.folders.folders())
    try:
        return folder_digest(find_market_root(root), cache, tuple(MARKET_FOLDERS.values()))
    except InputError:
        return ABSENT


def folder_digest(root: Path, cache: Path, folders: tuple[str, ...] = (".",)) -> str:
    """Digest over the names, sizes and contents of all files below `root`; hidden files, Thumbs.db and desktop.ini do not count.

    Args:
        root: the data set's root.
        cache: JSON file of content hashes by size and mtime; made, kept up to date, and rebuilt if it cannot be read.
        folders: the folders below `root` that count; a missing one counts as empty.

    Returns:
        Hex SHA-256, or "absent" where there is no `root`.

    Raises:
        InputError: a folder cannot be listed.
    """
    return _digest(_hash_files(root, cache, folders)) if root.is_dir() else ABSENT


def generated_digest(root: Path, manifest: Path, cache: Path) -> str:
    """Digest of a generated image folder: constant as long as it holds what was generated, so that making it changes nothing.

    Only Market-1501's three folders count, not the masks beside them.

    Args:
        root: the folder of the generated set.
        manifest: CSV with the columns path (below `root`) and sha256.
        cache: as for `folder_digest`.

    Returns:
        "generated" before the folder or the manifest exists, and while every file of the manifest has its hash and no image was added;
        else the folder's digest.

    Raises:
        InputError: the manifest lacks one of the two columns, or a folder cannot be listed.
    """
    if not root.is_dir() or not manifest.is_file():
        return GENERATED
    expected = _read_manifest(manifest)
    hashes = _hash_files(root, cache, tuple(MARKET_FOLDERS.values()))
    found = {name: sha256 for name, (_, _, sha256) in hashes.items() if is_image_name(name)}
    return GENERATED if found == expected else _digest(hashes)


def _digest(hashes: Hashes) -> str:
    content = [(name, size, sha256) for name, (size, _, sha256) in sorted(hashes.items())]
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()


def _hash_files(root: Path, cache: Path, folders: tuple[str, ...]) -> Hashes:
    """Size, time and content hash of every file; contents are read only where size or time differ from the cache."""
    known = _read_cache(cache)
    hashes: Hashes = {}
    for name in _names(root, folders):
        key = printable(name)
        hashes[key] = _hash_file(root / name, known.get(key))
    if hashes != known:
        write_json(cache, hashes)
    return hashes


def _hash_file(path: Path, known: tuple[int, int, str] | None) -> tuple[int, int, str]:
    try:
        status = path.stat()
        if known is not None and known[:2] == (status.st_size, status.st_mtime_ns):
            return known
        return status.st_size, status.st_mtime_ns, file_sha256(path)
    except OSError:
        return UNREADABLE


def _names(root: Path, folders: tuple[str, ...]) -> list[str]:
    names = []
    for folder in folders:
        prefix = "" if folder == "." else f"{folder}/"
        names += [prefix + name for name in list_files(root / folder)]
    return [name for name in names if _counts(name)]


def _counts(name: str) -> bool:
    parts = name.split("/")
    return not any(part.startswith(".") for part in parts) and parts[-1].lower() not in _LEFT_BY_FILE_BROWSERS


def _read_cache(cache: Path) -> Hashes:
    try:
        content = json.loads(cache.read_text(encoding="utf-8"))
        return {str(name): (int(size), int(mtime_ns), str(sha256)) for name, (size, mtime_ns, sha256) in content.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}


def _read_manifest(manifest: Path) -> dict[str, str]:
    with manifest.open(encoding="utf-8", newline="") as stream:
        reader = csv.DictReader(stream)
        if not {"path", "sha256"} <= set(reader.fieldnames or ()):
            raise InputError(f"{manifest}: no columns path and sha256")
        return {row["path"]: row["sha256"] for row in reader}
