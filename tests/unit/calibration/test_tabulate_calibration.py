"""calibration.csv: rows by hand, seeds averaged, a reason instead of numbers."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from qafm.calibration.tabulate_calibration import tabulate_calibration
from qafm.errors import InputError
from qafm.tables.table4 import Run
from tests.unit.calibration.test_match_odds import CONTENT

RUN = Run("synthetic", "r10", "small", "random")


def interval(value: float) -> dict[str, float]:
    return {"value": value, "low": value / 2, "high": value * 2}


def written(path: Path, *, cllr: float = 0.5, **changes: Any) -> Path:
    measures = {"cllr": interval(cllr), "cllr_min": 0.4, "ece": 0.02, "ece_by_chance": 0.03, "eer": interval(0.08)}
    det = [
        {"distance": d, "false_match_rate": interval(fmr), "false_non_match_rate": interval(fnmr)}
        for d, fmr, fnmr in ((0.4, 0.02, 0.5), (0.5, 0.06, 0.3), (0.6, 0.09, 0.2), (0.7, 0.3, 0.1))
    ]
    bins = [{"start": 0.5, "end": 1, "predicted": 0.75, "observed": interval(0.4), "genuine": 10, "impostor": 4}]
    path.write_text(json.dumps(CONTENT | {"measures": measures, "det": det, "reliability": bins} | changes))
    return path


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open() as stream:
        return list(csv.DictReader(stream))


def test_one_seed_by_hand(tmp_path: Path) -> None:
    tabulate_calibration([(1, written(tmp_path / "a.json"))], RUN, tmp_path / "out.csv")
    rows = rows_of(tmp_path / "out.csv")
    assert [row["measure"] for row in rows] == [
        *("Cllr (bits)", "least Cllr (bits)", "ECE (%)", "ECE by chance (%)", "EER (%)"),
        "FNMR at FMR 10 (%)",  # 1 % is rarer than one of the 25 pairs of people
        "one person, given 0.5 to 1 (%)",
    ]
    assert "value_sd" not in rows[0]
    cells = [(row["value"], row["low"], row["high"], row["predicted"], row["distance"], row["genuine_pairs"], row["impostor_pairs"]) for row in rows]
    assert cells == [
        ("0.5000", "0.2500", "1.0000", "", "", "9", "40"),
        ("0.4000", "", "", "", "", "9", "40"),
        ("2.00", "", "", "", "", "9", "40"),
        ("3.00", "", "", "", "", "9", "40"),
        ("8.00", "4.00", "16.00", "", "", "9", "40"),
        ("20.00", "10.00", "40.00", "", "0.600", "9", "40"),
        ("40.00", "20.00", "80.00", "75.00", "", "10", "4"),
    ]
    assert all((row["dataset"], row["features"], row["model"], row["init"], row["prior"]) == ("synthetic", "r10", "small", "random", "0.25") for row in rows)
    assert all((row["n_identities"], row["n_seeds"], row["note"]) == ("8", "1", "") for row in rows)


def test_seeds_are_averaged(tmp_path: Path) -> None:
    files = [(2, written(tmp_path / "b.json", cllr=0.7, reliability=[])), (1, written(tmp_path / "a.json"))]
    tabulate_calibration(files, RUN, tmp_path / "out.csv")
    first, *_, last = rows_of(tmp_path / "out.csv")
    assert (first["value"], first["value_sd"], first["low"], first["high"], first["n_seeds"]) == ("0.6000", "0.1414", "0.3000", "1.2000", "2")
    assert (last["measure"], last["value"], last["value_sd"], last["n_seeds"]) == ("one person, given 0.5 to 1 (%)", "40.00", "", "1")


def test_rare_false_matches_are_shown_where_there_are_people_enough(tmp_path: Path) -> None:
    tabulate_calibration([(1, written(tmp_path / "a.json", identity_pairs=50))], RUN, tmp_path / "out.csv")
    assert "FNMR at FMR 1 (%)" not in {row["measure"] for row in rows_of(tmp_path / "out.csv")}  # no point has so low a rate
    tabulate_calibration([(1, written(tmp_path / "a.json", identity_pairs=9))], RUN, tmp_path / "out.csv")
    assert "FNMR at FMR 10 (%)" not in {row["measure"] for row in rows_of(tmp_path / "out.csv")}


def test_without_a_model_the_table_says_why(tmp_path: Path) -> None:
    path = written(tmp_path / "a.json", model=None, false_matches=None, measures=None, det=[], reliability=[], reason="no cameras")
    tabulate_calibration([(1, path)], RUN, tmp_path / "out.csv")
    (row,) = rows_of(tmp_path / "out.csv")
    assert (row["measure"], row["value"], row["n_seeds"], row["note"]) == ("", "", "0", "no cameras")


def test_nothing_to_tabulate_and_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="table: no calibration to tabulate"):
        tabulate_calibration([], RUN, tmp_path / "out.csv")
    with pytest.raises(InputError, match=r"none\.json: cannot be read"):
        tabulate_calibration([(1, tmp_path / "none.json")], RUN, tmp_path / "out.csv")
    assert not (tmp_path / "out.csv").exists()
