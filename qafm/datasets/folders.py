"""Any directory of identities: one folder per identity, the camera from the file name by a pattern."""

import re
from collections.abc import Iterable
from pathlib import Path

from qafm.config.parse import FoldersConfig
from qafm.datasets.entry import POOL, Entry, Listing, SetAside, identity_folder, identity_name, is_image_name, list_files, printable
from qafm.errors import InputError

_MAX_INT16, _MAX_INT32 = 2**15 - 1, 2**31 - 1


def list_folders(root: Path, config: FoldersConfig) -> Listing:
    """List the images of a folder data set by name; nothing is opened.

    An identity is a folder directly below one of `config.folders()`; images deeper in it belong to it. The same name in two folders is the
    same identity.

    Args:
        root: the root as configured.
        config: which folders, and how to read a file name.

    Returns:
        Entries sorted by image_id; their split is POOL for split_by "identity".

    Raises:
        InputError: a folder is missing or cannot be listed.
    """
    if not root.is_dir():
        raise InputError(f"{root}: no such folder")
    splits = [POOL] * len(config.pool) if config.split_by == "identity" else list(config.split_folders())
    pattern = re.compile(config.camera_pattern) if config.camera_pattern is not None else None
    listing = Listing(root)
    named: list[tuple[str, str, str, dict[str, str]]] = []
    for folder, split in zip(config.folders(), splits, strict=True):
        if not (root / folder).is_dir():
            raise InputError(f"{root / folder}: no such folder")
        prefix = "" if folder == "." else f"{folder}/"
        for name in list_files(root / folder):
            found = _parse_path(name, pattern) if is_image_name(name) else None
            if found is None:
                listing.other_files.append(printable(prefix + name))
            elif isinstance(found, str):
                listing.set_aside.append(SetAside(printable(prefix + name), split, found))
            else:
                named.append((prefix + name, split, identity_name(identity_folder(name)[0]), found))
    _number(listing, named)
    return listing


def _parse_path(name: str, pattern: re.Pattern[str] | None) -> dict[str, str] | str:
    """The named groups of `pattern` in a path below a folder of identities, or the reason why the file cannot be used."""
    if printable(name) != name:
        return "bad file name: not UTF-8"
    identity, below = identity_folder(name)
    if not identity:
        return "not in a folder of an identity"
    if pattern is None:
        return {}
    match = pattern.search(below)
    if match is None:
        return "bad file name: camera_pattern does not match"
    groups = {key: value for key, value in match.groupdict().items() if value is not None}
    for key, largest in (("sequence", _MAX_INT16), ("frame", _MAX_INT32)):
        if key in groups and not (groups[key].isdecimal() and int(groups[key]) <= largest):
            return f"bad file name: {key} {groups[key]!r} is not a number up to {largest}"
    if "camera" in pattern.groupindex and not groups.get("camera"):
        return "bad file name: camera_pattern finds no camera"
    return groups


def _number(listing: Listing, named: list[tuple[str, str, str, dict[str, str]]]) -> None:
    """Give identities and cameras numbers and add the entries to the listing."""
    pids = number_names((identity for _, _, identity, _ in named), _MAX_INT32)
    camids = number_names((groups["camera"] for *_, groups in named if "camera" in groups), _MAX_INT16)
    for image_id, split, identity, groups in sorted(named, key=lambda item: item[0]):
        camid = camids[groups["camera"]] if "camera" in groups else None
        sequence, frame = (int(groups[key]) if key in groups else None for key in ("sequence", "frame"))
        listing.entries.append(Entry(image_id, split, identity, pids[identity], camid, sequence, frame))
    for kind, numbers in (("identities", pids), ("cameras", camids)):
        if any(not name.isdecimal() or int(name) != number for name, number in numbers.items()):
            listing.numbers[kind] = numbers


def number_names(names: Iterable[str], largest: int) -> dict[str, int]:
    """Number names: by their own value if all are different positive integers up to `largest`, else 1, 2, ... in sorted order."""
    distinct = sorted(set(names))
    values = [int(name) for name in distinct if name.isascii() and name.isdecimal()]
    if len(set(values)) == len(distinct) and all(0 < value <= largest for value in values):
        return dict(zip(distinct, values, strict=True))
    return {name: number for number, name in enumerate(distinct, start=1)}
