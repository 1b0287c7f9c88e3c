"""What only the bytes of an image tell: whether it can be decoded, its size, its digest, and which images are the same."""

import hashlib
import os
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from io import BytesIO
from pathlib import Path

from tqdm import tqdm

from qafm.datasets.entry import Entry, SetAside, printable
from qafm.datasets.picture_size import wrong_size_by_header
from qafm.datasets.read_image import decode_image
from qafm.errors import InputError

_THREADS = 2


def read_contents(root: Path, entries: list[Entry]) -> tuple[list[Entry], list[SetAside]]:
    """Read every image once; fill in path, digest and size.

    Args:
        root: what image_id is relative to.
        entries: images by name.

    Returns:
        The images that can be decoded and show a person by their size, in the same order, and the others with the reason.
    """
    with ThreadPoolExecutor(_THREADS) as pool:
        results = list(
            tqdm(pool.map(lambda entry: _read(root, entry), entries, chunksize=64), total=len(entries), desc="reading images", unit="image", disable=None)
        )
    return [result for result in results if isinstance(result, Entry)], [result for result in results if isinstance(result, SetAside)]


def _read(root: Path, entry: Entry) -> Entry | SetAside:
    try:
        data = (root / entry.image_id).read_bytes()
        if (reason := wrong_size_by_header(BytesIO(data))) is not None:
            return SetAside(printable(entry.image_id), entry.split, reason)
        height, width, _ = decode_image(data, "").shape
    except OSError as error:
        return SetAside(printable(entry.image_id), entry.split, f"cannot be read: {os.strerror(error.errno) if error.errno else error}")
    except InputError as error:
        return SetAside(printable(entry.image_id), entry.split, str(error).removeprefix(": "))
    return replace(entry, path=f"{root.as_posix()}/{entry.image_id}", sha256=hashlib.sha256(data).hexdigest(), height=height, width=width)


def same_content(entries: list[Entry]) -> list[list[Entry]]:
    """Groups of two or more images with identical bytes, in the order of their first image."""
    groups: dict[str, list[Entry]] = defaultdict(list)
    for entry in entries:
        groups[entry.sha256].append(entry)
    return [group for group in groups.values() if len(group) > 1]


def drop_duplicates(entries: list[Entry]) -> tuple[list[Entry], dict[str, str]]:
    """Keep one of several images with identical bytes, the first, where identity and split are the same too.

    Args:
        entries: images with content.

    Returns:
        The images kept, in the same order, and for each image dropped the one kept in its place.
    """
    first: dict[tuple[str, str, str], str] = {}
    kept, dropped = [], {}
    for entry in entries:
        original = first.setdefault((entry.sha256, entry.identity, entry.split), entry.image_id)
        if original == entry.image_id:
            kept.append(entry)
        else:
            dropped[entry.image_id] = original
    return kept, dropped
