"""Rule parse_dataset: a folder of images to images.parquet and dataset.json (stage 1)."""

import logging
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
    queries_without_match,
    summary_line,
)
from qafm.datasets.entry import Entry, printable
from qafm.datasets.folds import draw_holdout
from qafm.datasets.market_attributes import Codes
from qafm.datasets.source import GENERATED_ATTRIBUTES, Source, name_as_test_set, read_source
from qafm.errors import InputError
from qafm.runtime.files import write_json
from qafm.tables.attributes import ATTRIBUTE_NAMES
from qafm.tables.images import IMAGES_SCHEMA, SPLITS
from qafm.tables.parquet import write_parquet

_LOGGER = logging.getLogger("qafm")


def parse_dataset(config: ParseConfig, root: Path, images: Path, report: Path) -> None:
    """Parse a data set.

    Args:
        config: how to parse.
        root: the folder of the images as configured, or of the generated set; `path` in the table begins with it.
        images: images.parquet to write, one row per image (schema qafm/tables/images.py), sorted by image_id.
        report: dataset.json to write.

    Raises:
        InputError: a missing folder or attribute file, an identity without attributes, an empty split, too many files set aside, no query with a right image.
    """
    tested = config.test_slice()
    own = read_source(config, root, SPLITS if tested is None else ("train",))
    sources, offset = [own], 0
    if tested is not None:
        other = read_source(tested, tested.root(), ("query", "gallery"))
        other, offset = name_as_test_set(other, {entry.pid for entry in own.entries})
        sources.append(other)
    entries = sorted((entry for source in sources for entry in source.entries), key=lambda entry: entry.image_id)
    _check_splits(entries, root, root if tested is None else tested.root())
    holdout = _holdout(root, entries, config)
    set_aside = [item for source in sources for item in source.set_aside]
    attributes = None if own.attributes is None else {name: codes for source in sources for name, codes in (source.attributes or {}).items()}
    content = {
        "kind": config.kind,
        "root": own.listing.root.as_posix(),
        "test": config.test and {"kind": config.test.kind, "root": sources[-1].listing.root.as_posix(), "added_to_pid": offset},
        "splits": describe_splits(entries),
        "holdout": {"ids": sorted(holdout), "images": sum(entry.split == "train" and entry.pid in holdout for entry in entries)},
        "queries": describe_queries(entries),
        "attributes": _describe_attributes(config, attributes, entries, [name for source in sources for name in source.without]),
        "set_aside": describe_set_aside(set_aside),
        "other_files": sorted(name for source in sources for name in source.listing.other_files),
        "dropped_copies": {copy: kept for source in sources for copy, kept in source.dropped.items()},
        "copies": describe_copies(entries),
        "anomalies": _anomalies(sources, entries),
        "numbers": {kind: numbers for source in sources for kind, numbers in source.listing.numbers.items()},
    }
    write_parquet(images, images_table(entries, attributes or {}, holdout))
    write_json(report, content)
    _LOGGER.info(summary_line(content))


def images_table(entries: list[Entry], attributes: Mapping[str, Codes], holdout: set[int]) -> pa.Table:
    """Rows of images.parquet.

    Args:
        entries: images with content, sorted by image_id.
        attributes: codes by identity; unknown where an identity is absent.
        holdout: raw train identities held out.
    """
    unknown: Codes = (None,) * len(ATTRIBUTE_NAMES)
    rows = []
    for entry in entries:
        row: dict[str, Any] = {name: getattr(entry, name, None) for name in IMAGES_SCHEMA.names}
        row["fold"] = None if entry.split != "train" else "holdout" if entry.pid in holdout else "fit"
        rows.append(row | dict(zip(ATTRIBUTE_NAMES, attributes.get(entry.identity, unknown), strict=True)))
    return pa.Table.from_pylist(rows, schema=IMAGES_SCHEMA)


def _check_splits(entries: list[Entry], root: Path, searched: Path) -> None:
    found = {entry.split for entry in entries if not entry.junk}
    for split in SPLITS:
        if split not in found:
            raise InputError(f"{root if split == 'train' else searched}: no image in split {split}")
    queries = sum(entry.split == "query" for entry in entries)
    if len(queries_without_match(entries, "keep")) == queries:  # under neither rule could anything be measured, after all the trainings
        raise InputError(f"{searched}: none of the {queries} queries has a right image in the gallery")


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


def _anomalies(sources: list[Source], entries: list[Entry]) -> dict[str, list[str]]:
    found = {kind: [name for source in sources for name in source.listing.anomalies.get(kind, [])] for source in sources for kind in source.listing.anomalies}
    leaked = [printable(name) for name in ids_in_train_and_test(entries)]
    return found | ({"ids_in_train_and_test": leaked} if leaked else {})
