"""Which queries stand for the rest: the rule by hand on a few queries, and what the configuration may name."""

from pathlib import Path

import pyarrow as pa
import pytest

from qafm.config.figures import ExamplesConfig
from qafm.errors import InputError
from qafm.evaluation.choose_examples import choose_examples
from qafm.tables.examples import Example, read_examples
from qafm.tables.parquet import write_parquet
from qafm.tables.ranking import RANKING_SCHEMA

# (name, pid, ap, first rank, right at ranks 1..3)
QUERIES = [
    ("query/a.jpg", 1, 0.9, 1, (True, False, True)),
    ("query/b.jpg", 1, 0.5, 1, (True, True, False)),
    ("query/c.jpg", 2, 0.7, 1, (True, False, False)),
    ("query/d.jpg", 3, 0.2, 4, (False, False, False)),
    ("query/e.jpg", 3, 0.3, 2, (False, True, False)),
    ("query/f.jpg", 4, None, None, (False, False, False)),
]


def write(tmp_path: Path, queries: list = QUERIES) -> Path:
    rows = [
        {
            "image_id": name,
            "pid": pid,
            "camid": 1,
            "q": 0.1,
            "visual_weight": 0.5,
            "n_relevant": 0 if ap is None else 2,
            "ap": ap,
            "first_rank": first,
            "gallery_id": ["gallery/x.jpg", "gallery/y.jpg", "gallery/z.jpg"],
            "gallery_pid": [1, 2, 3],
            "gallery_camid": [1, 2, 3],
            "right": list(right),
            "distance": [0.1, 0.2, 0.3],
            "gallery_q": [0.1] * 3,
            "gallery_weight": [0.5] * 3,
        }
        for name, pid, ap, first, right in queries
    ]
    path = tmp_path / "ranking.parquet"
    write_parquet(path, pa.Table.from_pylist(rows, schema=RANKING_SCHEMA))
    return path


def chosen(tmp_path: Path, config: ExamplesConfig, queries: list = QUERIES) -> dict[str, Example]:
    choose_examples(write(tmp_path, queries), config, tmp_path / "examples.json")
    return dict(read_examples(tmp_path / "examples.json"))


def test_the_rule_takes_the_median_of_each_kind(tmp_path: Path) -> None:
    found = chosen(tmp_path, ExamplesConfig())
    assert (found["success"].query, found["success"].match) == ("query/c.jpg", "gallery/x.jpg")  # of .5 .7 .9
    assert (found["failure"].query, found["failure"].match) == ("query/d.jpg", "gallery/x.jpg")  # of .2 .3 the lower
    assert "3 have a right first rank" in found["success"].rule and "2 have a wrong first rank" in found["failure"].rule
    assert "even number" in found["failure"].rule and "even number" not in found["success"].rule


def test_a_named_image_needs_no_folder(tmp_path: Path) -> None:
    found = chosen(tmp_path, ExamplesConfig(success="e.jpg", failure="query/a.jpg"))
    assert (found["success"].query, found["success"].match) == ("query/e.jpg", "gallery/y.jpg")  # its first right one
    assert (found["failure"].query, found["failure"].match) == ("query/a.jpg", "gallery/y.jpg")  # its first wrong one
    assert found["success"].rule == "The configuration names this query. By the rule it would be no success: its first right rank is 2."
    assert found["failure"].rule == "The configuration names this query. By the rule it would be no failure: its first right rank is 1."
    assert chosen(tmp_path, ExamplesConfig(success="a.jpg"))["success"].rule == "The configuration names this query."
    assert "no right image is left for it" in chosen(tmp_path, ExamplesConfig(failure="f.jpg"))["failure"].rule


def test_a_named_pid_offers_its_queries_of_the_kind(tmp_path: Path) -> None:
    found = chosen(tmp_path, ExamplesConfig(success=1, failure=3))
    assert found["success"].query == "query/b.jpg" and "the 2 queries of pid 1" in found["success"].rule
    assert found["failure"].query == "query/d.jpg"


def test_a_named_pid_without_a_query_of_the_kind_gives_its_extreme(tmp_path: Path) -> None:
    found = chosen(tmp_path, ExamplesConfig(success=3, failure=1))
    assert found["success"].query == "query/e.jpg" and "highest AP of pid 3" in found["success"].rule
    assert found["failure"].query == "query/b.jpg" and "lowest AP of pid 1" in found["failure"].rule
    assert chosen(tmp_path, ExamplesConfig(success=4))["success"].match is None  # nothing right in its ranks


def test_a_kind_that_no_query_is_of_is_missing(tmp_path: Path) -> None:
    assert set(chosen(tmp_path, ExamplesConfig(), QUERIES[:3])) == {"success"}
    assert set(chosen(tmp_path, ExamplesConfig(), QUERIES[3:])) == {"failure"}


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (ExamplesConfig(success=99), "no query of pid 99 (config: figures.examples.success)"),
        (ExamplesConfig(failure="q.jpg"), "no query q.jpg (config: figures.examples.failure)"),
    ],
)
def test_an_example_that_is_not_there_is_named(tmp_path: Path, config: ExamplesConfig, message: str) -> None:
    with pytest.raises(InputError) as error:
        chosen(tmp_path, config)
    assert str(error.value) == f"{tmp_path / 'ranking.parquet'}: {message}"


def test_a_name_that_two_folders_hold_is_refused(tmp_path: Path) -> None:
    twice = [("query/a.jpg", 1, 0.9, 1, (True, False, True)), ("more/a.jpg", 1, 0.9, 1, (True, False, True))]
    with pytest.raises(InputError, match=r"more than one query a\.jpg"):
        chosen(tmp_path, ExamplesConfig(success="a.jpg"), twice)


def test_a_file_that_holds_no_examples_is_named(tmp_path: Path) -> None:
    (tmp_path / "examples.json").write_text('[{"kind": "success"}]')
    with pytest.raises(InputError, match=r"examples\.json: holds no examples"):
        read_examples(tmp_path / "examples.json")
