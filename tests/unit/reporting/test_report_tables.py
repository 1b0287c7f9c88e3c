import base64
import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qafm.errors import InputError
from qafm.reporting.report_tables import by_category, is_number, show_table

TABLE = """experiment,dataset,init,visual_weight,visual_weight_sd,mAP,mAP_sd,mAP_low,mAP_high,mAP_minus_qafm,mAP_minus_qafm_low,mAP_minus_qafm_high,note
QAFM,d,,0.7,0.06,60.00,1.50,55.00,65.00,,,,
other,d,,,,61.00,0.50,56.00,66.00,1.00,-0.50,2.50,"oracle, by labels"
fixed,d,,0.5,0.00,59.00,,,,-1.00,-2.00,-0.10,
"""


def test_the_layout_of_a_table(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(TABLE)
    table = show_table(tmp_path / "t.csv", "Title", "What it is.")
    assert (table.title, table.explanation, table.file) == ("Title", "What it is.", "t.csv")
    assert table.constants == [("dataset", "d")]  # init is empty everywhere: nothing to say
    headings = [(column.heading, column.numeric) for column in table.columns]
    assert headings == [
        ("experiment", False),
        ("visual weight", True),
        ("visual weight sd", True),
        ("mAP", True),
        ("mAP 95 %", True),
        ("mAP − QAFM", True),
        ("mAP − QAFM 95 %", True),
        ("note", False),
    ]
    assert table.rows == [
        ["QAFM", "0.7", "0.06", "60.00 ± 1.50", "55.00 to 65.00", "", "", ""],
        ["other", "", "", "61.00 ± 0.50", "56.00 to 66.00", "1.00", "-0.50 to 2.50", "oracle, by labels"],
        ["fixed", "0.5", "0.00", "59.00", "", "-1.00", "-2.00 to -0.10", ""],
    ]
    assert table.own == [True, False, False]
    assert base64.b64decode(table.link.split(",")[1]).decode() == TABLE


def test_two_rows_may_agree_by_chance_and_the_first_column_stays(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("a,b\nx,1\nx,1\n")
    assert show_table(tmp_path / "t.csv", "", "").constants == []
    (tmp_path / "t.csv").write_text("a,b\nx,1\nx,1\nx,1\n")
    table = show_table(tmp_path / "t.csv", "", "")
    assert table.constants == [("b", "1")]
    assert table.rows == [["x"], ["x"], ["x"]]


def test_what_is_the_same_in_every_measured_row_and_what_a_system_is_made_of(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(
        """system,dataset,init,epochs,rank1,rank1_low,rank1_high,mAP,note
QAFM,d,random,3,50.0,40.0,60.0,30.0,
other,d,imagenet,3,52.0,41.0,62.0,31.0,
third,d,random,3,53.0,42.0,63.0,33.0,
fourth,,,,,,,,not measured: no masks
"""
    )
    table = show_table(tmp_path / "t.csv", "", "")
    assert table.constants == [("dataset", "d"), ("epochs", "3")]
    assert [column.heading for column in table.columns] == ["system", "rank1", "rank1 95 %", "mAP", "init", "note"]
    assert table.rows[3] == ["fourth", "", "", "", "", "not measured: no masks"]


def test_a_range_without_a_mean_is_not_called_an_interval(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("queries,q_low,q_high,mAP,mAP_low,mAP_high\n1,0.1,0.2,30,20,40\n")
    table = show_table(tmp_path / "t.csv", "", "")
    assert [column.heading for column in table.columns] == ["queries", "q, from to", "mAP", "mAP 95 %"]
    assert table.rows == [["1", "0.1 to 0.2", "30", "20 to 40"]]


def test_a_published_row_of_the_same_name_is_not_ours(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text('method,source\nQAFM,"paper, Table 3"\nQAFM,this run\n')
    assert show_table(tmp_path / "t.csv", "", "").own == [False, True]


@pytest.mark.parametrize(
    ("text", "reason"), [("", "has no rows"), ("a,b\n", "has no rows"), ("a,b\n1,2\n1\n", "row 2 has another number of cells"), (None, "cannot be read as CSV")]
)
def test_bad_tables_are_named(tmp_path: Path, text: str | None, reason: str) -> None:
    if text is not None:
        (tmp_path / "t.csv").write_text(text)
    with pytest.raises(InputError, match=rf"t\.csv: {reason}"):
        show_table(tmp_path / "t.csv", "", "")


@given(st.floats())
def test_numbers_are_finite(value: float) -> None:
    assert is_number(repr(value)) == math.isfinite(value)


def test_text_is_no_number() -> None:
    assert not any(map(is_number, ("", "x", "1.0 ± 2", "nan")))


def test_categories_keep_their_order() -> None:
    assert by_category([("b", 1), ("a", 2), ("b", 3)]) == {"b": [1, 3], "a": [2]}


def test_mean_ap_stands_beside_rank_1_and_sentences_get_room(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    note = "a sentence that is too long for a narrow column of a table"
    header = "row,rank1,rank1_sd,rank5,mAP,mAP_sd,mINP,mAP_low,mAP_high,mAP_minus_qafm,note"
    path.write_text(f"{header}\nQAFM,5,0.5,6,1,0.1,3,0,2,,\nother,7,0.7,8,2,0.2,4,1,3,1.0,{note}\n")
    shown = show_table(path, "t", "e")
    assert [column.name for column in shown.columns] == ["row", "rank1", "mAP", "mAP 95 %", "mAP_minus_qafm", "rank5", "mINP", "note"]
    assert shown.rows[1] == ["other", "7 ± 0.7", "2 ± 0.2", "1 to 3", "1.0", "8", "4", note]
    assert [column.look for column in shown.columns] == ["text", "n", "n", "n", "n", "n", "n", "long-text"]
