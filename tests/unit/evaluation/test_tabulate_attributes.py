"""attributes.csv from score files written by hand."""

import csv
from pathlib import Path

import numpy as np
import pytest
from scipy.io import loadmat

from qafm.datasets.market1501 import parse_name
from qafm.datasets.market_attributes import read_market_attributes
from qafm.errors import InputError
from qafm.evaluation.attribute_accuracy import OFFICIAL_COLUMNS, SCORE_COLUMNS, UNKNOWN, official_accuracy
from qafm.evaluation.tabulate_attributes import APR_OFFICIAL, tabulate_attributes
from qafm.tables.attributes import ATTRIBUTE_NAMES
from qafm.tables.table4 import Run

RUN = Run("toy", "full", "small", "random")
MARKET = Run("market1501", "full", "small", "imagenet", market1501=True)
FIXED = {"n": "8", "macro_f1": "40.0000", "majority": "60.0000", "n_images": "10", "official": "44.0000", "official_majority": "48.0000"}


def write(path: Path, accuracy: float, sets: tuple[str, ...] = ("holdout", "gallery"), **others: dict[str, str]) -> Path:
    """A score file in which every attribute is at `accuracy`, save those in `others`: attribute -> column -> cell."""
    with path.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, SCORE_COLUMNS)
        writer.writeheader()
        for name in sets:
            for attribute in ATTRIBUTE_NAMES:
                writer.writerow({"set": name, "attribute": attribute, **FIXED, "accuracy": f"{accuracy:.4f}", **others.get(attribute, {})})
    return path


def read(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as stream:
        return list(csv.DictReader(stream))


def row_of(path: Path, attribute: str, subset: str = "gallery") -> dict[str, str]:
    return next(row for row in read(path) if (row["attribute"], row["set"]) == (attribute, subset))


def test_one_seed(tmp_path: Path) -> None:
    before = write(tmp_path / "1.csv", 50, gender={"accuracy": "62.0000", "official": "56.0000"})
    after = write(tmp_path / "2.csv", 55)
    tabulate_attributes([(3, "apan", before), (3, "fusion", after)], RUN, tmp_path / "out.csv")
    lines = (tmp_path / "out.csv").read_text().splitlines()
    assert lines[0] == (
        "attribute,set,dataset,features,model,init,n,n_images,majority,accuracy_stage1,macro_f1_stage1,accuracy_stage2,macro_f1_stage2,"
        "official_majority,official_stage1,official_stage2,n_seeds"
    )
    assert lines[1] == "gender,gallery,toy,full,small,random,8,10,60.00,62.00,40.00,55.00,40.00,48.00,56.00,44.00,1"
    assert lines[2] == "hair,gallery,toy,full,small,random,8,10,60.00,50.00,40.00,55.00,40.00,48.00,44.00,44.00,1"
    assert lines[13] == "average,gallery,toy,full,small,random,,10,60.00,51.00,40.00,55.00,40.00,48.00,45.00,44.00,1"
    assert [(line.split(",")[0], line.split(",")[1]) for line in lines[1:]] == [
        (attribute, subset) for subset in ("gallery", "holdout") for attribute in (*OFFICIAL_COLUMNS, "average")
    ]


def test_several_seeds_give_mean_and_sample_deviation(tmp_path: Path) -> None:
    files = []
    for seed, accuracy, bag in ((2, 50, "80.0000"), (1, 70, "40.0000"), (3, 60, "60.0000")):
        files.append((seed, "apan", write(tmp_path / f"{seed}.csv", accuracy, bag={"accuracy": bag})))
        files.append((seed, "fusion", write(tmp_path / f"{seed}f.csv", 50)))
    tabulate_attributes(files, RUN, tmp_path / "out.csv")
    gender, bag, average = (row_of(tmp_path / "out.csv", name) for name in ("gender", "bag", "average"))
    assert (gender["accuracy_stage1"], gender["accuracy_stage1_sd"], gender["accuracy_stage2_sd"], gender["n_seeds"]) == ("60.00", "10.00", "0.00", "3")
    assert (bag["accuracy_stage1"], bag["accuracy_stage1_sd"]) == ("60.00", "20.00")
    averages = [(11 * accuracy + other) / 12 for accuracy, other in ((50, 80), (70, 40), (60, 60))]
    assert (average["accuracy_stage1"], average["accuracy_stage1_sd"]) == ("60.00", f"{np.std(averages, ddof=1):.2f}")
    columns = list(gender)
    for score in ("accuracy_stage1", "macro_f1_stage2", "official_stage2"):
        assert columns[columns.index(score) + 1] == f"{score}_sd"
    tabulate_attributes(files[::-1], RUN, tmp_path / "again.csv")
    assert (tmp_path / "again.csv").read_bytes() == (tmp_path / "out.csv").read_bytes()


def test_unknown_attributes_stay_empty_and_out_of_the_average(tmp_path: Path) -> None:
    nothing = {"n": "0"} | dict.fromkeys(("accuracy", "macro_f1", "majority", "official", "official_majority"), "")
    path = write(tmp_path / "1.csv", 50, ("gallery",), age=nothing, hat={"accuracy": "72.0000", "majority": "82.0000"})
    tabulate_attributes([(1, "apan", path), (2, "apan", path)], RUN, tmp_path / "out.csv")
    assert {row["set"] for row in read(tmp_path / "out.csv")} == {"gallery"}
    age, average = row_of(tmp_path / "out.csv", "age"), row_of(tmp_path / "out.csv", "average")
    assert (age["n"], age["n_images"]) == ("0", "10")
    assert not any(age[name] for name in ("majority", "accuracy_stage1", "accuracy_stage1_sd", "official_stage1", "official_majority"))
    assert (average["accuracy_stage1"], average["majority"]) == ("52.00", "62.00")
    assert average["accuracy_stage2"] == average["accuracy_stage2_sd"] == ""  # stage 2 was not run
    everything = write(tmp_path / "2.csv", 50, ("holdout",), **dict.fromkeys(ATTRIBUTE_NAMES, nothing))
    tabulate_attributes([(1, "fusion", everything)], RUN, tmp_path / "none.csv")
    assert not any(row["accuracy_stage2"] or row["majority"] for row in read(tmp_path / "none.csv"))
    tabulate_attributes([(1, "fusion", write(tmp_path / "3.csv", 50, ()))], RUN, tmp_path / "empty.csv")
    assert len((tmp_path / "empty.csv").read_text().splitlines()) == 1


def test_apr_stands_beside_market_1501_only_and_on_its_gallery(tmp_path: Path) -> None:
    path = write(tmp_path / "1.csv", 50)
    tabulate_attributes([(1, "apan", path)], RUN, tmp_path / "toy.csv")
    assert "apr_official" not in read(tmp_path / "toy.csv")[0]
    tabulate_attributes([(1, "apan", path)], MARKET, tmp_path / "market.csv")
    expected = ["86.45", "83.65", "87.08", "93.66", "93.32", "91.46", "97.13", "82.79", "75.07", "89.98", "73.40", "69.91", "85.33"]
    assert [row["apr_official"] for row in read(tmp_path / "market.csv")] == expected + [""] * 13
    assert list(read(tmp_path / "market.csv")[0])[-1] == "apr_official"


def test_apr_is_what_its_predictions_score(shared: Path) -> None:
    folder = shared / "data" / "market1501"
    test = read_market_attributes(folder / "market_attribute.mat")["test"]
    parts = [parse_name(name) for name in sorted((folder / "filenames.txt").read_text().split())]
    labels = np.array([[UNKNOWN if code is None else code for code in test[part.pid]] for part in parts if part and part.pid in test and part.box != 0])
    scores = official_accuracy(loadmat(folder / "gallery_market.mat")["gallery"], labels)
    assert {name: round(score, 4) for name, score in scores.items()} == APR_OFFICIAL


def test_bad_files_are_named(tmp_path: Path) -> None:
    good = write(tmp_path / "good.csv", 50)
    out = tmp_path / "out.csv"
    for files, reason in (
        ([], r"^table: no file to tabulate$"),
        ([(1, "mspa", good)], r"good\.csv: stage 'mspa' is none of apan, fusion$"),
        ([(1, "apan", good), (1, "apan", write(tmp_path / "b.csv", 50))], r"b\.csv: a second file of apan, seed 1$"),
        ([(1, "apan", good), (2, "fusion", good)], r"^table: stages have different seeds"),
        ([(1, "apan", good), (2, "apan", write(tmp_path / "c.csv", 50, ("gallery",)))], r"c\.csv: is of other images or labels than .*good\.csv$"),
        ([(1, "apan", good), (2, "apan", write(tmp_path / "d.csv", 50, hat={"n": "7"}))], r"d\.csv: is of other images or labels than .*good\.csv$"),
        ([(1, "apan", write(tmp_path / "e.csv", 50, hat={"majority": "much"}))], r"e\.csv: holdout, hat: could not convert"),
        ([(1, "apan", write(tmp_path / "f.csv", 50, ("train",)))], r"f\.csv: does not hold one row per attribute of the sets gallery, holdout$"),
        ([(1, "apan", write(tmp_path / "g.csv", 50, ("gallery", "gallery")))], r"g\.csv: does not hold one row per attribute"),
        ([(1, "apan", tmp_path / "missing.csv")], r"missing\.csv: cannot be read as CSV"),
    ):
        with pytest.raises(InputError, match=reason):
            tabulate_attributes(files, RUN, out)
    lines = good.read_text().splitlines()
    good.write_text("\n".join(lines[:-1]) + "\n")
    with pytest.raises(InputError, match=r"good\.csv: does not hold one row per attribute"):
        tabulate_attributes([(1, "apan", good)], RUN, out)
    assert not out.exists()
