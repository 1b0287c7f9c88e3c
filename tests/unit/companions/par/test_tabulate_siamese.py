"""siamese.csv from artifacts written by hand."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from qafm.companions.par.tabulate_siamese import SiameseRun, tabulate_siamese
from qafm.errors import InputError

RUN = SiameseRun("toy", {"transfer": "PAR (ce) from random", "reference": "random"}, comparable=False)
PUBLISHED = SiameseRun("market1501", {"transfer": "PAR (ce) from imagenet", "reference": "imagenet"}, comparable=True)
HEAD = (
    "arm,init,epochs,kept_epoch,images_seen,dataset,gallery,filter,mAP,mAP_full,mAP_of_all,recall_kept,gallery_kept,nothing_right,rank1,rank10,"
    "n_queries,n_excluded,n_seeds,note"
)


@pytest.fixture
def curves(tmp_path: Path) -> dict[str, list[list[Path]]]:
    """Of transfer 3 epochs of PAR and 2 of its own (the first kept), of reference 5."""
    found: dict[str, list[list[Path]]] = {"transfer": [], "reference": []}
    for arm, epochs, kept in (("transfer", 3, 3), ("transfer", 2, 1), ("reference", 5, 4)):
        path = tmp_path / f"{arm}{epochs}.csv"
        rows = [f"{epoch},{epoch * 10},{int(epoch == kept)}" for epoch in range(1, epochs + 1)]
        path.write_text("\n".join(["epoch,images_seen,kept", *rows]) + "\n")
        found[arm].append([path])
    return found


def metrics(value: float) -> dict[str, float]:
    return {"mAP": value, "mAP_of_all": value - 1, "rank10": value + 2, "rank1": value + 1, "recall_kept": 50, "gallery_kept": 25, "nothing_right": 3}


def write(path: Path, arm: str, value: float, note: str = "", filters: tuple[str, ...] = ("none", "distance")) -> Path:
    found: list[dict[str, Any]] = [{"filter": name, "metrics": metrics(value + 10 * i)} for i, name in enumerate(filters)]
    standard = {"n_queries": 7, "n_excluded": 1, "n_gallery": 30, "note": "", "filters": found}
    validation = standard | {"note": note} | ({"filters": []} if note else {})
    path.write_text(json.dumps({"arm": arm, "galleries": {"standard": standard, "validation": validation}}))
    return path


def read(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as stream:
        return list(csv.DictReader(stream))


def test_one_seed(tmp_path: Path, curves: dict[str, list[list[Path]]]) -> None:
    files = [(1, "transfer", write(tmp_path / "t", "transfer", 40)), (1, "reference", write(tmp_path / "r", "reference", 20))]
    tabulate_siamese(files, curves, RUN, tmp_path / "out.csv")
    lines = (tmp_path / "out.csv").read_text().splitlines()
    assert lines[0] == HEAD
    assert lines[1] == "transfer,PAR (ce) from random,3 + 2,3 + 1,50,toy,validation,none,40.00,40.00,39.00,50.00,25.00,3.00,41.00,42.00,7,1,1,"
    assert lines[2] == "transfer,PAR (ce) from random,3 + 2,3 + 1,50,toy,validation,distance,50.00,40.00,49.00,50.00,25.00,3.00,51.00,52.00,7,1,1,"
    assert [tuple(line.split(",")[i] for i in (0, 6, 7)) for line in lines[1:]] == [
        (arm, gallery, name) for gallery in ("validation", "standard") for arm in ("transfer", "reference") for name in ("none", "distance")
    ]


def test_several_seeds_give_mean_and_sample_deviation(tmp_path: Path, curves: dict[str, list[list[Path]]]) -> None:
    files = [(seed, arm, write(tmp_path / f"{arm}{seed}", arm, value)) for arm in ("reference", "transfer") for seed, value in ((2, 10), (1, 20), (3, 30))]
    tabulate_siamese(files, curves, RUN, tmp_path / "out.csv")
    row = read(tmp_path / "out.csv")[1]
    assert (row["mAP"], row["mAP_sd"], row["mAP_full"], row["mAP_full_sd"], row["n_seeds"]) == ("30.00", "10.00", "20.00", "10.00", "3")
    assert (row["rank10"], row["recall_kept_sd"]) == ("32.00", "0.00")
    columns = list(row)
    assert columns[columns.index("rank1") + 1] == "rank1_sd"
    tabulate_siamese(files[::-1], curves, RUN, tmp_path / "again.csv")
    assert sorted((tmp_path / "again.csv").read_text().splitlines()) == sorted((tmp_path / "out.csv").read_text().splitlines())


def test_what_was_not_measured_has_one_row_with_the_reason(tmp_path: Path, curves: dict[str, list[list[Path]]]) -> None:
    tabulate_siamese([(1, "transfer", write(tmp_path / "t", "transfer", 40, note="no query"))], curves, RUN, tmp_path / "out.csv")
    first, *others = read(tmp_path / "out.csv")
    assert (first["gallery"], first["filter"], first["mAP"], first["mAP_full"], first["note"]) == ("validation", "none", "", "", "no query")
    assert [row["gallery"] for row in others] == ["standard", "standard"]


def test_published_numbers_stand_on_validation_of_a_comparable_run_only(tmp_path: Path, curves: dict[str, list[list[Path]]]) -> None:
    files = [(1, "transfer", write(tmp_path / "t", "transfer", 40)), (1, "reference", write(tmp_path / "r", "reference", 20))]
    tabulate_siamese(files, curves, PUBLISHED, tmp_path / "out.csv")
    found = {(row["arm"], row["gallery"]): row["published_mAP"] for row in read(tmp_path / "out.csv")}
    assert found == {("transfer", "validation"): "44.78", ("reference", "validation"): "21.85", ("transfer", "standard"): "", ("reference", "standard"): ""}
    tabulate_siamese(files, curves, RUN, tmp_path / "out.csv")
    assert "published_mAP" not in read(tmp_path / "out.csv")[0]


def test_bad_files_are_named(tmp_path: Path, curves: dict[str, list[list[Path]]]) -> None:
    good = write(tmp_path / "good", "transfer", 40)
    (tmp_path / "broken").write_text("{}")
    other = write(tmp_path / "other", "transfer", 40, filters=("none", "attributes<=2"))
    for files, reason in (
        ([], r"^table: 0 files for arms \[\] and seeds \[\], one of each is needed$"),
        ([(1, "transfer", good), (2, "reference", good)], r"^table: 2 files for arms"),
        ([(1, "reference", good)], r"good: is of arm transfer, expected reference$"),
        ([(1, "transfer", tmp_path / "broken")], r"broken: is no artifact of evaluate_siamese \(KeyError"),
        ([(1, "transfer", tmp_path / "none")], r"none: is no artifact of evaluate_siamese \(FileNotFoundError"),
        ([(1, "transfer", good), (2, "transfer", other)], r"^table: seeds of transfer have different filters or ranks$"),
    ):
        with pytest.raises(InputError, match=reason):
            tabulate_siamese(files, curves, RUN, tmp_path / "out.csv")
    assert not (tmp_path / "out.csv").exists()
