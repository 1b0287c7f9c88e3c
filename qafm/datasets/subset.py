"""A part of Market-1501, drawn by identity: for studies of many runs, each of which has to be short."""

from qafm.config.parse import SubsetConfig
from qafm.datasets.entry import Entry
from qafm.datasets.folds import draw


def draw_subset(entries: list[Entry], config: SubsetConfig) -> list[Entry]:
    """Keep some train identities, some of the test identities that have a query, and some distractors; no junk.

    The draws depend on names alone: more identities of the same seed contain the fewer ones.

    Args:
        entries: all images.
        config: how many, and which.

    Returns:
        The images kept, in their order.

    Raises:
        ValueError: there are not so many; the message says of what.
    """
    wanted = (
        ("train identities", {entry.identity for entry in entries if entry.split == "train"}, config.train_ids),
        ("test identities", {entry.identity for entry in entries if entry.split == "query"}, config.test_ids),
        ("distractors", {entry.image_id for entry in entries if entry.distractor}, config.distractors),
    )
    kept: set[str] = set()
    for what, keys, n in wanted:
        if n > len(keys):
            raise ValueError(f"subset: {n} {what} asked for, there are {len(keys)}")
        kept |= draw(keys, n, f"subset {what} {config.seed}")
    return [entry for entry in entries if not entry.junk and (entry.image_id if entry.distractor else entry.identity) in kept]
