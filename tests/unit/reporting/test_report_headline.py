from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qafm.errors import InputError
from qafm.reporting.report_headline import Headline, Number, headline, includes_zero, interval, signed
from tests.made_up_report import result_tables, write_csv

ENDS = ("mAP_minus_qafm", "mAP_minus_qafm_low", "mAP_minus_qafm_high")


def made(folder: Path, **rows: dict[str, object] | None) -> Headline:
    found = headline(result_tables(folder, {name.replace("mspa", "mspa_0.5"): row for name, row in rows.items()}))  # type: ignore[misc]
    assert found is not None
    return found


def test_the_numbers(tmp_path: Path) -> None:
    found = made(tmp_path)
    assert found.mAP == Number(60.0, 0.5, 55.0, 65.0)
    assert found.rank1 == Number(70.0, 1.5)
    assert found.alpha == Number(0.31, 0.06)
    assert (found.n_queries, found.n_seeds) == ("7", "2")
    branch, fixed, mspa = found.rivals
    assert (branch.name, branch.mAP.value, branch.ahead) == ("APN by its own descriptor", 57.0, Number(3.0, None, 1.0, 5.0))
    assert (fixed.name, fixed.rank1.value, fixed.ahead) == ("alpha 0.25, chosen on 5 held-out identities", 72.0, Number(-0.31, None, -1.07, 0.46))
    assert (mspa.role, mspa.ahead) == ("the MSPA baseline", Number(-1.1, None, -1.97, -0.29))
    assert found.axis == 5.0


def test_the_sentences_follow_the_numbers(tmp_path: Path) -> None:
    assert made(tmp_path).sentences == [
        "QAFM is above the better single branch (+3.00 mAP): the 95 % interval of the difference excludes 0.",
        "QAFM is below the MSPA baseline (−1.10 mAP): the 95 % interval of the difference excludes 0.",
        "QAFM cannot be told from the best fixed weight (−0.31 mAP): the 95 % interval of the difference includes 0.",
        "Alpha, the weight of the attribute branch, is 0.31 on average, with a standard deviation of 0.060 over the queries.",
        "Shuffled among the images, the same weights lose 0.73 mAP (95 % interval −1.35 to −0.10): the pairing of weights and images matters.",
    ]


def test_the_sentences_turn_with_the_numbers(tmp_path: Path) -> None:
    found = made(
        tmp_path,
        best_fixed=dict(zip(ENDS, ("-0.90", "-1.50", "-0.20"), strict=True)),
        mspa=dict(zip(ENDS, ("0.00", "-0.50", "0.50"), strict=True)),
        shuffled=dict(zip(ENDS, ("0.40", "0.10", "0.70"), strict=True)),
    )
    assert found.sentences[0] == (
        "QAFM is above the better single branch (+3.00 mAP) and the best fixed weight (+0.90 mAP): the 95 % interval of each difference excludes 0."
    )
    assert found.sentences[1] == "QAFM cannot be told from the MSPA baseline (0.00 mAP): the 95 % interval of the difference includes 0."
    assert found.sentences[3] == (
        "Shuffled among the images, the same weights gain 0.40 mAP (95 % interval +0.10 to +0.70): the learned pairing of weights and images is worse than "
        "a random one."
    )


def test_shuffling_that_changes_nothing_for_sure(tmp_path: Path) -> None:
    found = made(tmp_path, shuffled=dict(zip(ENDS, ("-0.20", "-0.70", "0.30"), strict=True)))
    assert found.sentences[4].endswith(
        "lose 0.20 mAP (95 % interval −0.70 to +0.30): the pairing of weights and images makes no difference that can be told from chance."
    )
    nothing = made(tmp_path, shuffled=dict(zip(ENDS, ("0.00", "", ""), strict=True)))
    assert nothing.sentences[4] == "Shuffled among the images, the same weights change nothing."


def test_the_better_branch_is_the_one_of_higher_map(tmp_path: Path) -> None:
    found = made(tmp_path, apan_descriptor={"mAP": "58.00", "mAP_minus_qafm": "-2.00"}).rivals[0]
    assert (found.name, found.mAP.value, found.ahead.value) == ("APAN by its own descriptor", 58.0, 2.0)


def test_a_fixed_weight_that_was_not_measured_gives_way_to_the_best_of_table_4(tmp_path: Path) -> None:
    found = made(tmp_path, best_fixed={"mAP": "", "rank1": "", "paper_alpha": "", "note": "not measured"})
    assert found.rivals[1].name == "alpha 0.3, chosen on the test set itself"
    assert found.rivals[1].ahead == Number(-1.0)
    assert found.sentences[2] == "No interval was computed of QAFM's difference to the best fixed weight (−1.00 mAP)."


def test_the_best_of_table_4_is_the_one_of_highest_map(tmp_path: Path) -> None:
    values = {"QAFM": ("70.00", "60.00"), "fixed_alpha_0.1": ("69.00", "58.00"), "fixed_alpha_0.3": ("71.00", "61.00"), "fixed_alpha_0.6": ("73.00", "59.50")}
    rows: list[dict[str, object]] = [{"experiment": name, "gallery": "standard", "rank1": rank1, "mAP": mAP} for name, (rank1, mAP) in values.items()]
    write_csv(tmp_path / "table4.csv", ["experiment", "gallery", "rank1", "mAP"], rows)
    found = headline([tmp_path / "table4.csv"])
    assert found is not None
    assert [(rival.name, rival.mAP.value) for rival in found.rivals] == [("alpha 0.3, chosen on the test set itself", 61.0)]


def test_rows_that_are_not_there_are_not_spoken_of(tmp_path: Path) -> None:
    columns = ["experiment", "gallery", "paper_alpha", "visual_weight_sd", "rank1", "mAP"]
    row = {"experiment": "QAFM", "gallery": "standard", "paper_alpha": "0.5", "visual_weight_sd": "0.0000", "rank1": "1.00", "mAP": "2.00"}
    write_csv(tmp_path / "table4.csv", columns, [row])
    found = headline([tmp_path / "table4.csv"])
    assert found is not None
    assert found.rivals == []
    assert found.axis == 1.0
    assert found.sentences == ["Alpha, the weight of the attribute branch, is 0.50 on average, the same for every query."]


def test_the_plain_concatenation_and_plain_networks_are_rivals(tmp_path: Path) -> None:
    columns = ["experiment", "gallery", "rank1", "mAP"]
    values = {"QAFM": "60.00", "concat_0.5": "61.25", "baseline": "59.00", "baseline_twins": "60.00"}
    rows: list[dict[str, object]] = [{"experiment": name, "gallery": "standard", "rank1": "70.00", "mAP": value} for name, value in values.items()]
    write_csv(tmp_path / "table4.csv", columns, rows)
    found = headline([tmp_path / "table4.csv"])
    assert found is not None
    assert [(rival.role, rival.ahead.value) for rival in found.rivals] == [
        ("the plain concatenation", -1.25),
        ("one plain network", 1.0),
        ("two plain networks", 0.0),
    ]


def test_distractors_the_paper_and_the_oracle(tmp_path: Path) -> None:
    columns = ["experiment", "gallery", "rank1", "mAP", "paper_rank1", "paper_mAP", "mAP_minus_qafm"]
    rows: list[dict[str, object]] = [
        {"experiment": "QAFM", "gallery": "standard", "rank1": "70.00", "mAP": "60.00", "paper_rank1": "93.05", "paper_mAP": "83.34"},
        {"experiment": "QAFM", "gallery": "no_distractors", "rank1": "71.00", "mAP": "62.00"},
        {"experiment": "oracle_query", "gallery": "standard", "rank1": "80.00", "mAP": "67.50", "mAP_minus_qafm": "7.50"},
    ]
    write_csv(tmp_path / "table4.csv", columns, rows)
    found = headline([tmp_path / "table4.csv"])
    assert found is not None
    assert found.mAP.value == 60.0
    assert found.sentences == [
        "QAFM is 7.50 mAP below the best weight of each query: an oracle, which uses the labels it is measured by, and chance.",
        "Without distractors in the gallery, QAFM reaches Rank-1 71.00 and mAP 62.00.",
        "The paper's Table 4 has Rank-1 93.05 and mAP 83.34: the mAP measured here differs by −23.34.",
    ]


def test_tables_of_another_kind_say_nothing(tmp_path: Path) -> None:
    write_csv(tmp_path / "t.csv", ["control", "mAP"], [{"control": "QAFM", "mAP": "1"}])
    assert headline([tmp_path / "t.csv"]) is None
    assert headline([]) is None


def test_rows_of_other_tables_with_the_same_columns_are_not_read(tmp_path: Path) -> None:
    tables = result_tables(tmp_path)
    row = {"gallery": "standard", "rank1": "99.00", "mAP": "99.00", "mAP_minus_qafm": "39.00", "note": "after re-ranking"}
    write_csv(tmp_path / "reranked.csv", ["experiment", *row], [row | {"experiment": name} for name in ("QAFM", "best_fixed", "apn_descriptor")])
    assert headline([*tables, tmp_path / "reranked.csv"]) == headline(tables)


def test_a_row_with_an_interval_goes_before_one_without_in_any_order(tmp_path: Path) -> None:
    tables = result_tables(tmp_path, {"QAFM": {"mAP": "60.01"}})
    assert headline(tables) == headline(tables[::-1])
    found = headline(tables)
    assert found is not None
    assert found.mAP == Number(60.01, 0.5, 55.0, 65.0)


def test_a_table_that_lacks_a_column_is_named(tmp_path: Path) -> None:
    write_csv(tmp_path / "table4.csv", ["experiment", "gallery", "mAP"], [])
    with pytest.raises(InputError, match=r"table4\.csv: has no column 'rank1'"):
        headline([tmp_path / "table4.csv"])


@pytest.mark.parametrize(("value", "text"), [(0.0, "0.00"), (-0.001, "0.00"), (0.004, "0.00"), (1.005, "+1.00"), (-0.31, "−0.31"), (12, "+12.00")])
def test_signs(value: float, text: str) -> None:
    assert signed(value) == text


@given(st.integers(-300, 300), st.integers(-300, 300))
def test_an_interval_includes_zero_unless_its_ends_have_one_sign(a: int, b: int) -> None:
    low, high = sorted((a, b))
    assert includes_zero(Number(0, None, low / 100, high / 100)) == (low * high <= 0)


def test_no_interval() -> None:
    assert not includes_zero(Number(1.0))
    assert interval(Number(1.0)) == ""
    assert interval(Number(1.0, None, -1.0, 2.0)) == "−1.00 to +2.00"
