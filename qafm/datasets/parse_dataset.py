"""Rule parse_dataset: a folder of images to images.parquet and dataset.json (stage 1)."""

import logging
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa

from qafm.config.parse import ParseConfig
from qafm.datasets.dataset_report import (
    count_attributes,
    describe_copies,
    describe_queries,
    describe_set_aside,
    describe_splits,
    ids_in_train_and_test,
    summary_line,
)
from qafm.datasets.entry import Entry, Listing, SetAside, printable
from qafm.datasets.folder_attributes import read_folder_attributes
from qafm.datasets.folders import list_folders
from qafm.datasets.folds import draw_holdout
from qafm.datasets.identity_split import split_identities
from qafm.datasets.image_content import drop_duplicates, read_contents
from qafm.datasets.market1501 import list_market1501
from qafm.datasets.market_attributes import Codes, read_market_attributes
from qafm.datasets.relabelled_attributes import relabelled_attributes
from qafm.datasets.subset import draw_subset
from qafm.runtime.errors import InputError
from qafm.runtime.files import write_json
from qafm.tables.attributes import ATTRIBUTE_NAMES
from qafm.tables.images import IMAGES_SCHEMA, SPLITS
from qafm.tables.parquet import write_parquet

GENERATED_ATTRIBUTES = "market_attribute.mat"  # of the generated set, among its folders
_LOGGER = logging.getLogger("qafm")


def parse_dataset(config: ParseConfig, root: Path, images: Path, report: Path) -> None:
    """Parse a data set.

    Args:
        config: how to parse.
        root: the folder of the images as configured, or of the generated set; `path` in the table begins with it.
        images: images.parquet to write, one row per image (schema qafm/tables/images.py), sorted by image_id.
        report: dataset.json to write.

    Raises:
        InputError: a missing folder or attribute file, an identity without attributes, an empty split, too many files set aside.
    """
    listing = _list(config, root)
    attributes = _read_attributes(config, listing)
    without = _identities_without(attributes, listing.entries, config)
    entries, unreadable = read_contents(listing.root, listing.entries)
    _check_set_aside(root, listing, [*listing.set_aside, *unreadable], config.max_set_aside)
    dropped: dict[str, str] = {}
    if config.folders is not None:
        entries, dropped = drop_duplicates(entries)
        entries = _split(root, entries, config)
    _check_splits(root, entries)
    holdout = _holdout(root, entries, config)
    entries.sort(key=lambda entry: entry.image_id)
    content = {
        "kind": config.kind,
        "root": listing.root.as_posix(),
        "splits": describe_splits(entries),
        "holdout": {"ids": sorted(holdout), "images": sum(entry.split == "train" and entry.pid in holdout for entry in entries)},
        "queries": describe_queries(entries),
        "attributes": _describe_attributes(config, attributes, entries, without),
        "set_aside": describe_set_aside([*listing.set_aside, *unreadable]),
        "other_files": sorted(listing.other_files),
        "dropped_copies": dropped,
        "copies": describe_copies(entries),
        "anomalies": _anomalies(listing, entries),
        "numbers": listing.numbers,
    }
    write_parquet(images, images_table(entries, listing.root, attributes or {}, holdout))
    write_json(report, content)
    _LOGGER.info(summary_line(content))


def images_table(entries: list[Entry], root: Path, attributes: Mapping[str, Codes], holdout: set[int]) -> pa.Table:
    """Rows of images.parquet.

    Args:
        entries: images with content, sorted by image_id.
        root: what image_id is relative to.
        attributes: codes by identity; unknown where an identity is absent.
        holdout: raw train identities held out.
    """
    unknown: Codes = (None,) * len(ATTRIBUTE_NAMES)
    rows = []
    for entry in entries:
        row: dict[str, Any] = {name: getattr(entry, name, None) for name in IMAGES_SCHEMA.names}
        row["path"] = f"{root.as_posix()}/{entry.image_id}"
        row["fold"] = None if entry.split != "train" else "holdout" if entry.pid in holdout else "fit"
        rows.append(row | dict(zip(ATTRIBUTE_NAMES, attributes.get(entry.identity, unknown), strict=True)))
    return pa.Table.from_pylist(rows, schema=IMAGES_SCHEMA)


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
        raise InputError(f"{where}: no attributes for identity {without[0]}{more} (attributes.missing: mask goes on with unknown ones)")
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


def _check_splits(root: Path, entries: list[Entry]) -> None:
    found = {entry.split for entry in entries if not entry.junk}
    for split in SPLITS:
        if split not in found:
            raise InputError(f"{root}: no image in split {split}")


def _holdout(root: Path, entries: list[Entry], config: ParseConfig) -> set[int]:
    pids = {entry.pid for entry in entries if entry.split == "train"}
    if config.holdout_ids >= len(pids):
        raise InputError(f"{root}: holdout_ids is {config.holdout_ids}, but there are only {len(pids)} train identities")
    return draw_holdout(pids, config.holdout_ids, config.holdout_seed)


def _describe_attributes(config: ParseConfig, attributes: dict[str, Codes] | None, entries: list[Entry], without: list[str]) -> dict[str, Any] | None:
    if attributes is None:
        return None
    return {
        "file": config.attribute_file() or GENERATED_ATTRIBUTES,
        "ids_without": without,
        "ids_without_images": len(attributes.keys() - {entry.identity for entry in entries}),
        "splits": {split: count_attributes([entry for entry in entries if entry.split == split], attributes) for split in SPLITS},
    }


def _anomalies(listing: Listing, entries: list[Entry]) -> dict[str, list[str]]:
    leaked = [printable(name) for name in ids_in_train_and_test(entries)]
    return listing.anomalies | ({"ids_in_train_and_test": leaked} if leaked else {})
