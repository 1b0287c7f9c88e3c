"""A folder of images, listed and read: the data set itself, or another one it is tested on."""

from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path

from qafm.config.parse import ParseConfig
from qafm.datasets.entry import POOL, Entry, Listing, SetAside
from qafm.datasets.folder_attributes import read_folder_attributes
from qafm.datasets.folders import list_folders
from qafm.datasets.identity_split import split_identities
from qafm.datasets.image_content import drop_duplicates, read_contents
from qafm.datasets.market1501 import list_market1501
from qafm.datasets.market_attributes import Codes, read_market_attributes
from qafm.datasets.relabelled_attributes import relabelled_attributes
from qafm.datasets.subset import draw_subset
from qafm.errors import InputError

GENERATED_ATTRIBUTES = "market_attribute.mat"  # of the generated set, among its folders
TEST = "test/"  # stands before what is named in another set to test on
_MAX_INT32 = 2**31 - 1


@dataclass
class Source:
    """What was found under one root and could be read."""

    listing: Listing  # its entries are those before reading
    entries: list[Entry]
    set_aside: list[SetAside]
    dropped: dict[str, str]  # copies, and what was kept in their place
    attributes: dict[str, Codes] | None  # by identity; None without an attribute file
    without: list[str]  # identities the attribute file lacks


def read_source(config: ParseConfig, root: Path, splits: tuple[str, ...]) -> Source:
    """List a folder of images, read them, and draw the split where the folders do not say it.

    Args:
        config: how to parse; its `test` is not looked at.
        root: the root as configured, or of the generated set.
        splits: the splits that are used; images of the others are not read.

    Raises:
        InputError: a missing folder or attribute file, an identity without attributes, too many files set aside, more train identities than there are.
    """
    listing = _list(config, root)
    attributes = _read_attributes(config, listing)
    listing.entries, listing.set_aside = _in_use(listing, {*splits, POOL})
    without = _identities_without(attributes, listing.entries, config)
    entries, unreadable = read_contents(listing.root, listing.entries)
    set_aside = [*listing.set_aside, *unreadable]
    _check_set_aside(root, listing, set_aside, config.max_set_aside)
    dropped: dict[str, str] = {}
    if config.folders is not None:
        entries, dropped = drop_duplicates(entries)
        entries = [entry for entry in _split(root, entries, config) if entry.split in splits]
    return Source(listing, entries, set_aside, dropped, attributes, without)


def name_as_test_set(source: Source, known: set[int]) -> tuple[Source, int]:
    """Tell the images and identities of a set to test on from those of the data set: TEST before every name, other numbers for its identities.

    Args:
        source: the set to test on.
        known: identities of the data set.

    Returns:
        The same images under their new names, and what was added to the number of each identity: 0, or the power of ten above the data set's.

    Raises:
        InputError: the numbers become too large.
    """
    offset = 10 ** len(str(max(known))) if known & {entry.pid for entry in source.entries if entry.labelled} else 0
    if any(entry.pid + offset > _MAX_INT32 for entry in source.entries):
        raise InputError(f"{source.listing.root}: identities share their numbers with the train set, and {offset} more is too large a number")
    renamed = [
        replace(entry, image_id=TEST + entry.image_id, identity=TEST + entry.identity, pid=entry.pid + offset if entry.labelled else entry.pid)
        for entry in source.entries
    ]
    present = {entry.identity for entry in renamed}
    attributes = {TEST + name: codes for name, codes in (source.attributes or {}).items() if TEST + name in present}
    listing = Listing(
        source.listing.root,
        other_files=[TEST + name for name in source.listing.other_files],
        anomalies={kind: [TEST + name for name in names] for kind, names in source.listing.anomalies.items()},
        numbers={f"test {kind}": numbers for kind, numbers in source.listing.numbers.items()},
    )
    return Source(
        listing,
        renamed,
        [replace(item, file=TEST + item.file) for item in source.set_aside],
        {TEST + copy: TEST + kept for copy, kept in source.dropped.items()},
        attributes,
        [TEST + name for name in source.without],
    ), offset


def _list(config: ParseConfig, root: Path) -> Listing:
    if config.folders is not None:
        return list_folders(root, config.folders)
    listing = list_market1501(root, official=config.kind == "market1501")
    if config.market1501 is not None and config.market1501.subset is not None:
        try:
            listing.entries = draw_subset(listing.entries, config.market1501.subset)
        except ValueError as error:
            raise InputError(f"{root}: {error}") from error
    return listing


def _in_use(listing: Listing, splits: set[str]) -> tuple[list[Entry], list[SetAside]]:
    """Entries and files set aside of these splits."""
    return [entry for entry in listing.entries if entry.split in splits], [item for item in listing.set_aside if item.split in splits]


def _read_attributes(config: ParseConfig, listing: Listing) -> dict[str, Codes] | None:
    """Codes by identity, None where the data set has no attribute file."""
    path = listing.root / GENERATED_ATTRIBUTES if config.kind == "synthetic" else config.attribute_file()
    if path is None:
        return None
    if config.kind == "folders":
        return read_folder_attributes(Path(path))
    parts = read_market_attributes(Path(path))
    if config.attributes.key == "relabelled":
        parts["train"] = relabelled_attributes(parts["train"], (entry.pid for entry in listing.entries if entry.split == "train"))
    return {f"{pid:04d}": codes for part in parts.values() for pid, codes in part.items()}


def _identities_without(attributes: dict[str, Codes] | None, entries: list[Entry], config: ParseConfig) -> list[str]:
    """Identities the attribute file lacks; an error if the config says so."""
    if attributes is None:
        return []
    without = sorted({entry.identity for entry in entries if entry.labelled} - attributes.keys())
    if without and config.attributes.missing == "error":
        where = config.attribute_file() or GENERATED_ATTRIBUTES
        more = f" and {len(without) - 1} others" if len(without) > 1 else ""
        short = without[0].lstrip("0")
        zeros = f", but for {short}: zeros in front count" if short in attributes else ""  # a spreadsheet drops them
        raise InputError(f"{where}: no attributes for identity {without[0]}{more}{zeros} (attributes.missing: mask goes on with unknown ones)")
    return without


def _check_set_aside(root: Path, listing: Listing, set_aside: list[SetAside], limit: float) -> None:
    bad_names = Counter(item.split for item in listing.set_aside)
    totals = Counter(entry.split for entry in listing.entries) + bad_names
    for split, count in sorted(Counter(item.split for item in set_aside).items()):
        if count > limit * totals[split]:
            first = next(item for item in set_aside if item.split == split)
            share = f"{count} of {totals[split]} images of {split} cannot be used, more than max_set_aside {limit:g}"
            raise InputError(f"{root}: {share}; the first is {first.file}: {first.reason}")


def _split(root: Path, entries: list[Entry], config: ParseConfig) -> list[Entry]:
    folders = config.folders
    if folders is None or folders.split_by == "folders":
        return entries
    try:
        return split_identities(entries, folders.train_ids, folders.split, folders.queries_per_camera)
    except ValueError as error:
        raise InputError(f"{root}: {error}") from error
