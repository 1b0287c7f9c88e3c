"""Seeded draws that depend on names only: the same whatever the order, the machine or the number of shards."""

import hashlib
from collections.abc import Iterable


def hash_order(keys: Iterable[str], salt: str) -> list[str]:
    """Sort distinct keys in a random order fixed by `salt`.

    Adding or removing a key leaves the order of the others as it was.

    Args:
        keys: what to order, e.g. identities; repeated ones count once.
        salt: names the draw, e.g. "holdout 1".
    """
    return sorted(set(keys), key=lambda key: (hashlib.sha256(f"{salt}\n{key}".encode()).digest(), key))


def draw(keys: Iterable[str], n: int, salt: str) -> set[str]:
    """Draw `n` of the distinct keys; a larger draw contains every smaller one.

    Raises:
        ValueError: fewer than `n` keys.
    """
    order = hash_order(keys, salt)
    if not 0 <= n <= len(order):
        raise ValueError(f"cannot draw {n} of {len(order)}")
    return set(order[:n])


def draw_holdout(train_pids: Iterable[int], n: int, seed: int) -> set[int]:
    """Choose the train identities that are held out for tuning.

    Args:
        train_pids: raw identity of each train image or identity.
        n: how many identities to hold out.
        seed: number of the draw.

    Returns:
        The raw identities held out.

    Raises:
        ValueError: fewer than `n` identities.
    """
    return {int(key) for key in draw((str(pid) for pid in train_pids), n, f"holdout {seed}")}
