import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qafm.config.report import ReportConfig
from qafm.errors import InputError
from qafm.reporting.report_data import browser_content, script_json
from qafm.reporting.thumbnails import linked_url, thumbnail_url
from qafm.reporting.write_report import ReportInputs
from qafm.tables.parquet import read_parquet, write_parquet
from qafm.tables.ranking import RANKING_SCHEMA
from tests.made_up_report import images_table, make_inputs


def content_of(inputs: ReportInputs, **config: Any) -> dict[str, Any]:
    return browser_content(inputs.ranking, inputs.images, ReportConfig(**config), inputs.images.parent / "page")


def rewrite(inputs: ReportInputs, change: Any) -> None:
    rows = read_parquet(inputs.ranking).to_pylist()
    change(rows)
    write_parquet(inputs.ranking, pa.Table.from_pylist(rows, schema=RANKING_SCHEMA))


@pytest.mark.parametrize("ranks", [10, 3])
def test_every_value_of_the_table_is_there(tmp_path: Path, ranks: int) -> None:
    inputs = make_inputs(tmp_path)
    content = content_of(inputs, ranks=ranks)
    images, queries = content["images"], content["queries"]
    rows = read_parquet(inputs.ranking).to_pylist()
    assert len(queries["image"]) == len(rows) == 7
    for i, row in enumerate(rows):
        own = queries["image"][i]
        assert (images["id"][own], images["pid"][own], images["camid"][own]) == (row["image_id"], row["pid"], row["camid"])
        assert images["weight"][own] == pytest.approx(row["visual_weight"], abs=1e-5)
        assert images["q"][own] == (None if row["q"] is None else pytest.approx(row["q"], abs=1e-5))
        assert queries["ap"][i] == (None if row["ap"] is None else pytest.approx(row["ap"], abs=1e-5))
        assert (queries["n_relevant"][i], queries["first_rank"][i]) == (row["n_relevant"], row["first_rank"])
        assert len(queries["gallery"][i]) == len(queries["right"][i]) == len(queries["distance"][i]) == ranks
        for rank, g in enumerate(queries["gallery"][i]):
            assert (images["id"][g], images["pid"][g], images["camid"][g]) == tuple(row[f"gallery_{name}"][rank] for name in ("id", "pid", "camid"))
            assert images["q"][g] == pytest.approx(row["gallery_q"][rank], abs=1e-5)
            assert images["weight"][g] == pytest.approx(row["gallery_weight"][rank], abs=1e-5)
            assert images["distractor"][g] == (row["gallery_id"][rank] == "gallery/g4.png")
            assert queries["right"][i][rank] == ("1" if row["right"][rank] else "0")
            assert queries["distance"][i][rank] == pytest.approx(row["distance"][rank], abs=1e-4)
    assert len(images["id"]) == len(set(images["id"])) == 7 + len({name for row in rows for name in row["gallery_id"][:ranks]})


def test_thumbnails_lie_within_up_to_the_limit_and_files_are_linked_above_it(tmp_path: Path) -> None:
    inputs = make_inputs(tmp_path)
    path = tmp_path / "data" / "query" / "q0.png"
    embedded = content_of(inputs, embed_images_up_to=19, thumbnail_px=40)
    assert embedded["embedded"]
    assert embedded["prefix"] + embedded["images"]["src"][0] == thumbnail_url(path, 40)
    linked = content_of(inputs, embed_images_up_to=18)
    assert not linked["embedded"]
    urls = [linked["prefix"] + rest for rest in linked["images"]["src"]]
    assert urls == [linked_url(tmp_path / "data" / name, tmp_path / "page") for name in linked["images"]["id"]]
    assert linked["prefix"] == "../data/"


def test_an_image_that_is_missing_is_named(tmp_path: Path) -> None:
    inputs = make_inputs(tmp_path)
    images_table(inputs.images, [(f"query/q{i}.png", tmp_path, "query", False) for i in range(7)])
    with pytest.raises(InputError, match=r"images\.parquet: has no image gallery/g0\.png, which .*ranking\.parquet names \(12 missing\)"):
        content_of(inputs)


@pytest.mark.parametrize(("column", "value"), [("gallery_pid", 77), ("gallery_q", 0.9), ("gallery_weight", 0.9), ("gallery_camid", 9)])
def test_an_image_with_two_values_is_named(tmp_path: Path, column: str, value: float) -> None:
    inputs = make_inputs(tmp_path)

    def change(rows: list[dict[str, Any]]) -> None:
        rows[0][column][1] = value

    rewrite(inputs, change)
    with pytest.raises(InputError, match=r"ranking\.parquet: gallery/g1\.png has two different values"):
        content_of(inputs)


def test_numbers_have_more_digits_than_the_page_shows(tmp_path: Path) -> None:
    inputs = make_inputs(tmp_path)

    def change(rows: list[dict[str, Any]]) -> None:
        rows[0] |= {"q": 11.10961543, "visual_weight": 0.62345678, "ap": 0.83345678}
        rows[0]["distance"][1] = 0.81234567

    rewrite(inputs, change)
    content = content_of(inputs)
    images, queries = content["images"], content["queries"]
    found = [images["q"][0], images["weight"][0], queries["ap"][0], queries["distance"][0][1]]
    assert found == pytest.approx([11.10961543, 0.62345678, 0.83345678, 0.81234567], rel=0, abs=1e-6)


def test_unknown_numbers_are_none(tmp_path: Path) -> None:
    inputs = make_inputs(tmp_path)

    def change(rows: list[dict[str, Any]]) -> None:
        rows[0]["q"] = float("nan")
        rows[0]["ap"] = float("nan")

    rewrite(inputs, change)
    content = content_of(inputs)
    assert content["images"]["q"][0] is None
    assert content["queries"]["ap"][0] is None
    assert "NaN" not in script_json(content)


def test_no_query_is_an_error(tmp_path: Path) -> None:
    inputs = make_inputs(tmp_path)
    rewrite(inputs, list.clear)
    with pytest.raises(InputError, match=r"ranking\.parquet: has no query"):
        content_of(inputs)


@given(st.recursive(st.text() | st.none() | st.integers(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=8))
def test_json_reads_back_and_holds_nothing_that_ends_a_script(value: Any) -> None:
    text = script_json({"value": value})
    assert json.loads(text) == {"value": value}
    assert not set(text) & set("<>&\u2028\u2029")


def test_names_in_json_cannot_end_the_script() -> None:
    text = script_json({"names": ["</script><script>alert(1)</script>", "<!--", "a&b\u2028"]})
    assert text == '{"names":["\\u003c/script\\u003e\\u003cscript\\u003ealert(1)\\u003c/script\\u003e","\\u003c!--","a\\u0026b\\u2028"]}'
