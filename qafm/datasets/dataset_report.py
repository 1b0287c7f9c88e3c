"""dataset.json: what a data set holds, what was odd about it, and what was set aside and why."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from qafm.datasets.entry import Entry, SetAside
from qafm.datasets.image_content import same_content
from qafm.datasets.market_attributes import Codes
from qafm.tables.attributes import ATTRIBUTES
from qafm.tables.images import SPLITS

FEW_IMAGES = 4  # images_per_id of a training batch


def count_split(entries: list[Entry]) -> dict[str, Any]:
    """Count one split; cameras and identities over labelled images only."""
    labelled = [entry for entry in entries if entry.labelled]
    per_id = Counter(entry.identity for entry in labelled)
    sizes = per_id.values()
    return {
        "images": len(entries),
        "labelled": len(labelled),
        "ids": len(per_id),
        "distractors": sum(entry.distractor for entry in entries),
        "junk": sum(entry.junk for entry in entries),
        "per_camera": {str(camid or "unknown"): count for camid, count in sorted(Counter(entry.camid or 0 for entry in labelled).items())},
        "images_per_id": {"min": min(sizes), "mean": round(len(labelled) / len(per_id), 3), "max": max(sizes)} if per_id else None,
        f"ids_with_fewer_than_{FEW_IMAGES}_images": sum(size < FEW_IMAGES for size in sizes),
    }


def count_attributes(entries: Iterable[Entry], attributes: Mapping[str, Codes]) -> dict[str, Any]:
    """Count the classes of the 12 attributes over identities and over labelled images.

    Args:
        entries: images of one split.
        attributes: codes by identity.

    Returns:
        {attribute: {class or "unknown": {"ids": n, "images": n}}}, and how many identities share their 12 values with another.
    """
    images = Counter(entry.identity for entry in entries if entry.labelled)
    unknown: Codes = (None,) * len(ATTRIBUTES)
    codes = {identity: attributes.get(identity, unknown) for identity in sorted(images)}
    counts: dict[str, Any] = {}
    for i, attribute in enumerate(ATTRIBUTES):
        rows = {name: {"ids": 0, "images": 0} for name in (*attribute.classes, "unknown")}
        for identity, vector in codes.items():
            code = vector[i]
            row = rows["unknown" if code is None else attribute.classes[code]]
            row["ids"] += 1
            row["images"] += images[identity]
        counts[attribute.name] = rows
    sharing = Counter(codes.values())
    vectors = {
        "distinct": len(sharing),
        "ids_sharing": sum(size for size in sharing.values() if size > 1),
        "largest_group": max(sharing.values(), default=0),
    }
    return {"classes": counts, "vectors": vectors}


def of_one_class(counts: Mapping[str, Any]) -> list[str]:
    """The attributes whose known labels, as `count_attributes` counts them, are all of one class: nothing is learned from those."""
    return [name for name, rows in counts["classes"].items() if sum(row["ids"] > 0 for value, row in rows.items() if value != "unknown") == 1]


def queries_without_match(entries: list[Entry], same_camera: str) -> list[str]:
    """Queries for which the gallery holds no right image.

    Args:
        entries: all images.
        same_camera: "drop": a match comes from another camera (an unknown camera counts as another); "keep": from any. A copy of the query is never one.

    Returns:
        Their image_ids, sorted.
    """
    gallery: dict[int, set[tuple[int | None, str]]] = defaultdict(set)
    for entry in entries:
        if entry.split == "gallery" and entry.labelled:
            gallery[entry.pid].add((entry.camid, entry.sha256))

    def matches(query: Entry) -> bool:
        elsewhere = same_camera == "keep" or query.camid is None
        return any(sha256 != query.sha256 and (elsewhere or camid != query.camid) for camid, sha256 in gallery[query.pid])

    return sorted(entry.image_id for entry in entries if entry.split == "query" and not matches(entry))


def describe_queries(entries: list[Entry]) -> dict[str, Any]:
    """Count the queries the evaluator can use, under both settings of `same_camera`; the others are named."""
    total = sum(entry.split == "query" for entry in entries)
    report: dict[str, Any] = {"total": total}
    for rule in ("drop", "keep"):
        without = queries_without_match(entries, rule)
        report[f"same_camera_{rule}"] = {"valid": total - len(without), "without_match": without}
    return report


def describe_copies(entries: list[Entry]) -> dict[str, Any]:
    """Name the images with identical bytes that were kept; those of different identities apart, since one label is wrong."""
    groups = same_content(entries)
    across = [group for group in groups if len({entry.identity for entry in group}) > 1]
    gallery = {entry.sha256 for entry in entries if entry.split == "gallery"}
    return {
        "under_different_identities": [[entry.image_id for entry in group] for group in across],
        "under_one_identity": [[entry.image_id for entry in group] for group in groups if group not in across],
        "queries_with_a_copy_in_the_gallery": sum(entry.split == "query" and entry.sha256 in gallery for entry in entries),
    }


def describe_set_aside(set_aside: list[SetAside]) -> dict[str, Any]:
    """Count what was set aside by split and reason, and name every file."""
    counts: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for item in set_aside:
        counts[item.split][item.reason] += 1
    files = [{"file": item.file, "split": item.split, "reason": item.reason} for item in sorted(set_aside, key=lambda item: item.file)]
    return {"total": len(set_aside), "counts": counts, "files": files}


def describe_splits(entries: list[Entry]) -> dict[str, Any]:
    """Count every split."""
    return {split: count_split([entry for entry in entries if entry.split == split]) for split in SPLITS}


def ids_in_train_and_test(entries: list[Entry]) -> list[str]:
    """Identities that are trained on and tested on."""
    train = {entry.identity for entry in entries if entry.split == "train"}
    return sorted(train & {entry.identity for entry in entries if entry.split != "train" and entry.labelled})


def summary_line(report: Mapping[str, Any]) -> str:
    """The one line that is printed about a parsed data set."""
    splits = []
    for split in SPLITS:
        counts = report["splits"][split]
        extra = "".join(f", {counts[kind]} {kind}" for kind in ("distractors", "junk") if counts[kind])
        splits.append(f"{split} {counts['images']} images of {counts['ids']} ids{extra}")
    queries = report["queries"]["same_camera_drop"]
    odd = sum(len(items) for items in report["anomalies"].values()) + len(report["copies"]["under_different_identities"])
    return (
        f"{report['root']}: {'; '.join(splits)}; {len(report['holdout']['ids'])} train ids held out; {report['set_aside']['total']} files set aside, "
        f"{len(report['other_files'])} not images, {len(report['dropped_copies'])} copies dropped, {odd} anomalies; "
        f"{len(queries['without_match'])} of {report['queries']['total']} queries without a match in another camera{_of_attributes(report['attributes'])}"
    )


def _of_attributes(attributes: Mapping[str, Any] | None) -> str:
    if attributes is None:
        return ""
    masked, names = len(attributes["ids_without"]), of_one_class(attributes["splits"]["train"])
    told = f"; {masked} ids without attributes" if masked else ""
    return told + (f"; of one class in train, so not learned: {', '.join(names)}" if names else "")
