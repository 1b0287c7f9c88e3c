"""Which queries stand for a success and a failure (paper Figures 9 and 10): by a stated rule, never by hand, or as the configuration names them."""

from pathlib import Path
from typing import Any, TypeAlias

from qafm.config.figures import ExamplesConfig
from qafm.errors import InputError
from qafm.tables.examples import KINDS, Example, Kind, write_examples
from qafm.tables.parquet import read_parquet
from qafm.tables.ranking import RANKING_SCHEMA

COLUMNS = ["image_id", "pid", "ap", "first_rank", "gallery_id", "right"]
Query: TypeAlias = dict[str, Any]  # a row of ranking.parquet


def choose_examples(ranking: Path, config: ExamplesConfig, out: Path) -> None:
    """Choose the success and the failure of a run; one of them is missing where no query is of its kind and none is named.

    Args:
        ranking: ranking.parquet.
        config: the named examples.
        out: examples.json.

    Raises:
        InputError: a named query, or a pid's query, is not in `ranking`.
    """
    queries: list[Query] = read_parquet(ranking, RANKING_SCHEMA, COLUMNS).to_pylist()
    found = (_choose(ranking, queries, kind, getattr(config, kind)) for kind in KINDS)
    write_examples(out, [example for example in found if example is not None])


def _choose(ranking: Path, queries: list[Query], kind: Kind, wanted: str | int | None) -> Example | None:
    if wanted is None:
        return _typical(queries, kind, "all queries")
    return _of_pid(ranking, queries, kind, wanted) if isinstance(wanted, int) else _of_name(ranking, queries, kind, wanted)


def _typical(queries: list[Query], kind: Kind, among: str) -> Example | None:
    """The query of median AP of its kind: neither the best nor the worst, so that the picture is typical."""
    ranked = (query for query in queries if query["first_rank"] is not None)  # a query without a valid match is of neither kind
    of_kind = sorted((query for query in ranked if (query["first_rank"] == 1) == (kind == "success")), key=_by_ap)
    if not of_kind:
        return None
    side = "right" if kind == "success" else "wrong"
    median = "median AP" if len(of_kind) % 2 else "median AP (the lower one of an even number)"
    rule = f"Of {among}, {len(of_kind)} have a {side} first rank; this is the one of {median}."
    return _example(of_kind[(len(of_kind) - 1) // 2], kind, rule)


def _of_pid(ranking: Path, queries: list[Query], kind: Kind, pid: int) -> Example:
    own = sorted((query for query in queries if query["pid"] == pid), key=_by_ap)
    if not own:
        raise InputError(f"{ranking}: no query of pid {pid} (config: figures.examples.{kind})")
    found = _typical(own, kind, f"the {len(own)} queries of pid {pid}, which the configuration names")
    if found is not None:
        return found
    extreme, query = ("lowest", own[0]) if kind == "failure" else ("highest", own[-1])
    return _example(query, kind, f"The query of {extreme} AP of pid {pid}, which the configuration names; none of its queries is a {kind} at rank 1.")


def _of_name(ranking: Path, queries: list[Query], kind: Kind, name: str) -> Example:
    """The query called `name`: its whole image_id, or the file's name alone."""
    own = [query for query in queries if query["image_id"] == name] or [query for query in queries if query["image_id"].endswith(f"/{name}")]
    if len(own) != 1:
        raise InputError(f"{ranking}: {'more than one' if own else 'no'} query {name} (config: figures.examples.{kind})")
    first = own[0]["first_rank"]
    fits = first is not None and (first == 1) == (kind == "success")
    contrary = (
        "" if fits else f" By the rule it would be no {kind}: {'no right image is left for it' if first is None else f'its first right rank is {first}'}."
    )
    return _example(own[0], kind, f"The configuration names this query.{contrary}")


def _by_ap(query: Query) -> tuple[float, str]:
    return (-1.0 if query["ap"] is None else query["ap"]), query["image_id"]


def _example(query: Query, kind: Kind, rule: str) -> Example:
    wanted = kind == "success"
    match = next((name for name, right in zip(query["gallery_id"], query["right"], strict=True) if right == wanted), None)
    return Example(kind, query["image_id"], match, rule)
