"""Random numbers that depend on what they are for, never on the order of work."""

import hashlib

import numpy as np


def generator(*key: object) -> np.random.Generator:
    """A random generator for `key`, such as (seed, "identity", pid): the same key gives the same numbers on every machine."""
    digest = hashlib.sha256("/".join(str(part) for part in key).encode()).digest()
    return np.random.default_rng(int.from_bytes(digest[:16], "little"))
