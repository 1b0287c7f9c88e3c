"""Market-1501 (Zheng et al., ICCV 2015) and everything in its layout.

bounding_box_train: 12,936 images of 751 identities; query: 3,368 of 750; bounding_box_test: 19,732 = 13,115 of the 750 + 2,798 distractors
(`0000`) + 3,819 junk (`-1`). Six cameras; identities 1 to 1501. 19 files of identity 1488 end in `.jpg.jpg`.
"""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from qafm.datasets.entry import Entry, Listing, SetAside, is_image_name, list_files, printable
from qafm.datasets.market_root import MARKET_FOLDERS, find_market_root
from qafm.errors import InputError

OFFICIAL_COUNTS = {"train": 12936, "query": 3368, "gallery": 19732}
_NAME = re.compile(r"(-1|\d{4})_c([1-6])s(\d)_(\d{6})_(\d{2})\.jpg(\.jpg)?", re.ASCII)


class MarketName(NamedTuple):
    """The parts of a file name PPPP_cCsS_FFFFFF_BB.jpg."""

    pid: int
    camid: int
    sequence: int
    frame: int
    box: int
    double_suffix: bool  # .jpg.jpg


def parse_name(name: str) -> MarketName | None:
    """Parse a file name; None if it is not one of Market-1501's."""
    match = _NAME.fullmatch(name)
    if match is None:
        return None
    pid, camid, sequence, frame, box = (int(group) for group in match.groups()[:5])
    return MarketName(pid, camid, sequence, frame, box, match[6] is not None)


def parse_names(names: Iterable[str], split: str) -> tuple[list[Entry], list[SetAside]]:
    """Turn the file names of one split into entries.

    Args:
        names: file names without folder.
        split: "train", "query" or "gallery".

    Returns:
        The entries, sorted by image_id, and the names that cannot be used.
    """
    entries, set_aside = [], []
    for name in sorted(names):
        image_id = f"{MARKET_FOLDERS[split]}/{name}"
        parts = parse_name(name)
        if parts is None:
            set_aside.append(SetAside(printable(image_id), split, "bad file name: not PPPP_cCsS_FFFFFF_BB.jpg"))
        elif parts.pid <= 0 and split != "gallery":
            set_aside.append(SetAside(image_id, split, f"no identity: -1 and 0000 belong into {MARKET_FOLDERS['gallery']} only"))
        else:
            identity = name.split("_")[0]
            junk, distractor = parts.pid == -1, parts.pid == 0
            entries.append(Entry(image_id, split, identity, parts.pid, parts.camid, parts.sequence, parts.frame, junk, distractor))
    return entries, set_aside


def list_market1501(root: Path, *, official: bool) -> Listing:
    """List the images of Market-1501 by name; nothing is opened.

    Args:
        root: the folder that contains bounding_box_train, or a parent of it.
        official: compare the number of files with Market-1501's.

    Raises:
        InputError: a folder is missing or cannot be listed.
    """
    listing = Listing(find_market_root(root))
    for split, folder in MARKET_FOLDERS.items():
        if not (listing.root / folder).is_dir():
            raise InputError(f"{listing.root / folder}: no such folder")
        files = list_files(listing.root / folder)
        listing.other_files += [f"{folder}/{printable(name)}" for name in files if not is_image_name(name)]
        entries, set_aside = parse_names([name for name in files if is_image_name(name)], split)
        listing.entries += entries
        listing.set_aside += set_aside
        if official and len(entries) != OFFICIAL_COUNTS[split]:
            listing.anomalies.setdefault("not_the_official_count", []).append(f"{split}: {len(entries)} images, Market-1501 has {OFFICIAL_COUNTS[split]}")
    doubled = [entry.image_id for entry in listing.entries if entry.image_id.endswith(".jpg.jpg")]
    if doubled:
        listing.anomalies["double_suffix"] = sorted(doubled)
    return listing
