"""Columns of what is averaged over seeds."""

from collections.abc import Iterable


def with_spread(names: Iterable[str], n_seeds: int) -> list[str]:
    """Each of `names`, and where there are several seeds beside it `{name}_sd`, its standard deviation over them."""
    return [column for name in names for column in ([name, f"{name}_sd"] if n_seeds > 1 else [name])]
