"""The data set in the report: counts, what was odd, what was set aside and why, Q per set, attributes."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from qafm.errors import InputError, reading
from qafm.runtime.files import read_json
from qafm.tables.images import SPLITS

LISTED = 200  # names given on the page; the file has all
ANOMALIES = {
    "double_suffix": "Names that end in .jpg.jpg (kept)",
    "not_the_official_count": "Splits whose number of images is not the official one",
    "ids_in_train_and_test": "Identities that are trained on and tested on",
}
SETS = {
    "fit": "train, trained on",
    "holdout": "train, held out",
    "query": "query",
    "gallery": "gallery, without distractors",
    "distractor": "distractors",
}


@dataclass(frozen=True)
class Finding:
    """Something odd about the data set.

    Args:
        text: what it is.
        count: how often.
        names: the first `LISTED` of them.
    """

    text: str
    count: int
    names: list[str]

    @property
    def more(self) -> int:
        """How many are not named."""
        return self.count - len(self.names)


@dataclass(frozen=True)
class Spread:
    """Q of one set of images, with the places of its drawing in percent of the width.

    Args:
        name: of the set.
        numbers: images, identities, and Q's mean, sd, median, min and max; "" where there is none.
        line: min and max; None where the set has no Q.
        box: mean minus and plus one sd.
        dot: the mean.
    """

    name: str
    numbers: list[str]
    line: tuple[float, float] | None
    box: tuple[float, float] | None
    dot: float | None


@dataclass(frozen=True)
class DatasetView:
    """What the page says of the data set.

    Args:
        root: folder of the images, as configured.
        kind: synthetic, market1501 or folders.
        splits: (name, cells) in the order of `split_columns`.
        split_columns: headings.
        facts: plain sentences.
        findings: what was odd; empty: nothing.
        attributes: (attribute, class, per split images and identities); empty: no attributes.
        attribute_facts: plain sentences.
    """

    root: str
    kind: str
    splits: list[tuple[str, list[str]]]
    split_columns: list[str]
    facts: list[str]
    findings: list[Finding]
    attributes: list[tuple[str, str, list[int]]]
    attribute_facts: list[str]


def read_report(path: Path) -> dict[str, Any]:
    """A JSON file that holds a mapping.

    Raises:
        InputError: it cannot be read or holds something else.
    """
    with reading(path, "cannot be read as JSON"):
        content = read_json(path)
    if not isinstance(content, dict):
        raise InputError(f"{path}: holds no mapping")
    return content


def describe_dataset(path: Path, same_camera: str) -> DatasetView:
    """What dataset.json (rule parse_dataset) says.

    Args:
        path: dataset.json.
        same_camera: the protocol, "drop" or "keep": decides which queries have no match.

    Raises:
        InputError: the file is no such report.
    """
    report = read_report(path)
    try:
        columns, splits = _splits(report["splits"])
        attributes, attribute_facts = _attributes(report["attributes"])
        return DatasetView(
            report["root"], report["kind"], splits, columns, _facts(report, same_camera), _findings(report, same_camera), attributes, attribute_facts
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise InputError(f"{path}: is no report of parse_dataset ({error!r})") from error


def quality_spreads(path: Path) -> tuple[list[Spread], str]:
    """Q per set of quality.json (rule score_quality), and a sentence on its reference.

    Raises:
        InputError: the file is no such report.
    """
    report = read_report(path)
    try:
        sets = {name: statistics for name, statistics in report["sets"].items() if statistics["images"]}
        ends = [value for statistics in sets.values() for value in (statistics["min"], statistics["max"]) if value is not None]
        spreads = [_spread(SETS.get(name) or name, statistics, min(ends), max(ends)) for name, statistics in sorted(sets.items(), key=_set_order)]
        reference = report["reference"]
        where = {"holdout": "the held-out train identities", "train": "the train images"}.get(reference["set"], reference["set"])
        source = (
            f"read from {report['published']}"
            if report.get("published")
            else f"computed from {report['variants']} variants of every image, the original among them"
        )
        sentence = (
            f"Q is {source}; low means stable. Its scale comes from {reference['images']} images of {where}: "
            f"mean {reference['mean']:.4f}, standard deviation {reference['sd']:.4f}."
        )
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise InputError(f"{path}: is no report of score_quality ({error!r})") from error
    return spreads, sentence


def _set_order(item: tuple[str, Any]) -> tuple[int, str]:
    names = list(SETS)
    return (names.index(item[0]) if item[0] in names else len(names), item[0])


def _spread(name: str, statistics: Mapping[str, Any], low: float, high: float) -> Spread:
    width = (high - low) or 1.0

    def place(value: float) -> float:
        return round(100 * min(max((value - low) / width, 0.0), 1.0), 2)

    values = {key: statistics[key] for key in ("mean", "sd", "median", "min", "max")}
    cells = [*(str(statistics[key] or "") for key in ("images", "identities")), *("" if value is None else f"{value:.4f}" for value in values.values())]
    if values["mean"] is None:
        return Spread(name, cells, None, None, None)
    box = place(values["mean"] - values["sd"]), place(values["mean"] + values["sd"])
    return Spread(name, cells, (place(values["min"]), place(values["max"])), box, place(values["mean"]))


def _splits(splits: Mapping[str, Any]) -> tuple[list[str], list[tuple[str, list[str]]]]:
    cameras = sorted({camera for split in splits.values() for camera in split["per_camera"]}, key=_camera_order)
    columns = ["images", "identities", "distractors", "junk", "images per identity (min, mean, max)", *(f"camera {camera}" for camera in cameras)]
    rows = []
    for name in SPLITS:
        split = splits[name]
        per_id = split["images_per_id"]
        sizes = f"{per_id['min']}, {per_id['mean']:.1f}, {per_id['max']}" if per_id else ""
        counts = [str(split[key]) for key in ("images", "ids", "distractors", "junk")]
        rows.append((name, [*counts, sizes, *(str(split["per_camera"].get(camera, 0)) for camera in cameras)]))
    return columns, rows


def _camera_order(camera: str) -> tuple[bool, int, str]:
    return (not camera.isdigit(), int(camera) if camera.isdigit() else 0, camera)


def _facts(report: Mapping[str, Any], same_camera: str) -> list[str]:
    holdout, queries = report["holdout"], report["queries"]
    valid = queries[f"same_camera_{same_camera}"]["valid"]
    rule = "in another camera" if same_camera == "drop" else "in the gallery"
    held = (
        f"{len(holdout['ids'])} train identities with {holdout['images']} images are held out from training." if holdout["ids"] else "No identity is held out."
    )
    test = report.get("test")
    searched = [f"Query and gallery are those of another set, of kind {test['kind']}, below {test['root']}."] if test else []
    return [*searched, held, f"{valid} of {queries['total']} queries have a right image {rule}; only these count."]


def _findings(report: Mapping[str, Any], same_camera: str) -> list[Finding]:
    aside, copies = report["set_aside"], report["copies"]
    reasons: dict[str, list[str]] = {}
    for item in aside["files"]:
        reasons.setdefault(f"Set aside from {item['split']}: {item['reason']}", []).append(item["file"])
    attributes = report["attributes"] or {"ids_without": []}
    found = [
        *(_finding(ANOMALIES.get(kind) or kind.replace("_", " "), names) for kind, names in sorted(report["anomalies"].items())),
        *(_finding(text, names) for text, names in sorted(reasons.items())),
        _finding("Copies of another image of the same identity, dropped", [f"{copy} is {kept}" for copy, kept in sorted(report["dropped_copies"].items())]),
        _finding("Identical images under different identities: one label is wrong", _groups(copies["under_different_identities"])),
        _finding("Identical images of one identity, kept", _groups(copies["under_one_identity"])),
        _finding("Queries without a right image in the gallery, left out of the metrics", report["queries"][f"same_camera_{same_camera}"]["without_match"]),
        _finding("Identities without attributes", [str(name) for name in attributes["ids_without"]]),
        _finding("Files that are no images", report["other_files"]),
    ]
    return [finding for finding in found if finding.count]


def _finding(text: str, names: Sequence[str]) -> Finding:
    return Finding(text, len(names), list(names[:LISTED]))


def _groups(groups: Iterable[Sequence[str]]) -> list[str]:
    return [" = ".join(group) for group in groups]


def _attributes(attributes: Mapping[str, Any] | None) -> tuple[list[tuple[str, str, list[int]]], list[str]]:
    """Rows (attribute, class, [images and identities per split]); classes that no split has are left out."""
    if attributes is None:
        return [], []
    splits = [attributes["splits"][name] for name in SPLITS]
    rows = []
    for name, classes in splits[0]["classes"].items():
        for label in classes:
            counts = [split["classes"][name][label][key] for split in splits for key in ("images", "ids")]
            if any(counts):
                rows.append((name.replace("_", " "), label, counts))
    facts = []
    for name, split in zip(SPLITS, splits, strict=True):
        vectors = split["vectors"]
        facts.append(
            f"{name}: {vectors['distinct']} different descriptions by attributes; {vectors['ids_sharing']} identities share theirs with another, "
            f"at most {vectors['largest_group']} the same one."
        )
    return rows, facts
