"""The original code's way to look attributes up, fault C5: under the number a train identity has in training, not under its own.

There the train identities are numbered 0, 1, 2 ... in ascending order, and that number is looked up as if it were a raw identity. On Market-1501 no
identity gets its own record, 396 of 751 get another one's, the rest get none, which the original reads as class 0 of everything.
"""

from collections.abc import Iterable, Mapping

from qafm.datasets.market_attributes import Codes
from qafm.tables.attributes import ATTRIBUTE_NAMES

NOTHING: Codes = (0,) * len(ATTRIBUTE_NAMES)


def relabelled_attributes(records: Mapping[int, Codes], train_pids: Iterable[int]) -> dict[int, Codes]:
    """The attributes the original code trains on.

    Args:
        records: codes by raw train identity, as in the file.
        train_pids: raw identities of the train images; repeated ones count once.

    Returns:
        Codes by raw train identity; what is unknown is class 0.
    """
    found = {}
    for label, pid in enumerate(sorted(set(train_pids))):
        found[pid] = tuple(code or 0 for code in records.get(label, NOTHING))
    return found
