"""Which identity stands for the data set in Figure 1: a stated rule, so that no picture is picked by hand."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

IDENTITY_RULE = "the query identity seen by most cameras, then with most images, then of lowest pid"


def shows_identity(row: Mapping[str, Any]) -> bool:
    """Whether a row of images.parquet shows a known identity: neither junk nor a distractor."""
    return not (row["junk"] or row["distractor"])


def choose_identity(rows: Iterable[Mapping[str, Any]]) -> int | None:
    """Choose by `IDENTITY_RULE`; images of all splits count, junk and distractors never.

    Args:
        rows: images.parquet, columns split, pid, camid (null: unknown, no camera), junk, distractor.

    Returns:
        A raw pid; None if no query shows a known identity.
    """
    cameras: dict[int, set[int]] = defaultdict(set)
    images: dict[int, int] = defaultdict(int)
    queries = set()
    for row in filter(shows_identity, rows):
        images[row["pid"]] += 1
        if row["camid"] is not None:
            cameras[row["pid"]].add(row["camid"])
        if row["split"] == "query":
            queries.add(row["pid"])
    return min(queries, key=lambda pid: (-len(cameras[pid]), -images[pid], pid), default=None)
