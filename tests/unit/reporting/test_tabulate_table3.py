"""table3.csv from tables written by hand."""

import csv
from pathlib import Path

import pytest

from qafm.config.ablation import RIVALS
from qafm.errors import InputError
from qafm.reporting.tabulate_table3 import tabulate_table3
from qafm.tables.table3 import PUBLISHED
from qafm.tables.table4 import PUBLISHED as TABLE4_PUBLISHED
from qafm.tables.table4 import Run

RUN = Run("toy", "full", "small", "extractor, from random")
MARKET = Run("market1501", "full", "small", "imagenet", market1501=True)
METRICS = ("rank1", "rank5", "rank10", "mAP")
# The paper's Table 3: Rank-1, Rank-5, Rank-10, mAP.
PAPER = """
PCSL 87.0 94.8 96.6 69.4
SSPR 75.2 - - 52.6
EEA 87.9 - - 71.0
PL-Net 88.2 - - 69.3
MGTS 84.8 - - 67.0
Deep-ReID 86.2 92.4 96.1 65.4
CDP 74.5 83.8 - 51.4
MCFL 84.1 - - 64.9
UECIR 98.0 98.6 99.5 98.3
LR-Net 91.4 - - 79.6
HCM 91.8 96.7 97.7 79.0
UPR 93.0 - - 82.4
MSPA 97.7 98.9 99.7 98.0
QAFM 93.05 97.62 98.60 83.34
"""


def write(path: Path, experiments: list[str], run: Run, *, galleries: tuple[str, ...] = ("standard", "no_distractors"), spread: bool = False) -> Path:
    """A table with numbers of its own in every row: rank1 = 10 x place of the experiment + place of the gallery."""
    metrics = [name for metric in ("rank1", "rank5", "rank10", "mAP", "mINP") for name in ((metric, f"{metric}_sd") if spread else (metric,))]
    columns = ["experiment", "dataset", "features", "model", "init", "gallery", "visual_weight", *metrics, "n_queries", "n_seeds"]
    with path.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, columns, restval="0.5")
        writer.writeheader()
        for j, gallery in enumerate(galleries):
            for i, experiment in enumerate(experiments):
                numbers = {name: f"{10 * i + j + k / 100:.2f}" for k, name in enumerate(metrics)}
                identity = {"dataset": run.dataset, "features": run.features, "model": run.model, "init": run.init}
                writer.writerow({"experiment": experiment, **identity, "gallery": gallery, **numbers, "n_queries": "48", "n_seeds": "2" if spread else "1"})
    return path


def both(folder: Path, run: Run, *, galleries: tuple[str, ...] = ("standard", "no_distractors"), spread: bool = False) -> tuple[Path, Path]:
    extra = ["QAFM", "apn_descriptor", "apan_descriptor", "shuffled", "mspa_0.5", "baseline", "baseline_twins"]
    table4 = write(folder / "table4.csv", ["fixed_alpha_0.1", "QAFM"], run, galleries=galleries, spread=spread)
    return table4, write(folder / "table4_extra.csv", extra, run, galleries=galleries, spread=spread)


def table(folder: Path, run: Run, *, galleries: tuple[str, ...] = ("standard", "no_distractors"), spread: bool = False) -> list[dict[str, str]]:
    tabulate_table3(*both(folder, run, galleries=galleries, spread=spread), run, RIVALS, folder / "table3.csv")
    with (folder / "table3.csv").open(newline="") as stream:
        return list(csv.DictReader(stream))


def test_published_rows_are_the_papers(tmp_path: Path) -> None:
    rows = table(tmp_path, RUN)[:14]
    found = [" ".join([row["method"], *(row[name] or "-" for name in METRICS)]) for row in rows]
    assert found == PAPER.split("\n")[1:-1]
    assert {(row["source"], row["dataset"], row["features"], row["gallery"], row["n_queries"]) for row in rows} == {
        ("paper, Table 3", "market1501", "", "", "")
    }
    qafm = next(row for row in PUBLISHED if row.method == "QAFM")
    assert (float(qafm.rank1), float(qafm.rank5), float(qafm.mAP)) == tuple(TABLE4_PUBLISHED["qafm"])


def test_our_rows_follow_per_gallery(tmp_path: Path) -> None:
    rows = table(tmp_path, RUN)
    assert list(rows[0]) == [
        *("method", "source", "dataset", "features", "model", "init", "gallery", "rank1", "rank5", "rank10", "mAP"),
        *("n_queries", "n_seeds", "comparable", "protocol_note"),
    ]
    found = [(row["method"], row["gallery"], row["rank1"], row["mAP"]) for row in rows[14:]]
    assert found == [
        ("QAFM", "standard", "10.00", "10.03"),
        ("MSPA baseline", "standard", "40.00", "40.03"),
        ("APN descriptor", "standard", "10.00", "10.03"),
        ("APAN descriptor", "standard", "20.00", "20.03"),
        ("Bag of Tricks", "standard", "50.00", "50.03"),
        ("two Bags of Tricks", "standard", "60.00", "60.03"),
        ("QAFM", "no_distractors", "11.00", "11.03"),
        ("MSPA baseline", "no_distractors", "41.00", "41.03"),
        ("APN descriptor", "no_distractors", "11.00", "11.03"),
        ("APAN descriptor", "no_distractors", "21.00", "21.03"),
        ("Bag of Tricks", "no_distractors", "51.00", "51.03"),
        ("two Bags of Tricks", "no_distractors", "61.00", "61.03"),
    ]
    for row in rows[14:]:
        assert (row["source"], row["dataset"], row["features"], row["model"], row["init"]) == ("this run", "toy", "full", "small", "extractor, from random")
        assert (row["n_queries"], row["n_seeds"]) == ("48", "1")


def test_several_seeds_have_their_spread(tmp_path: Path) -> None:
    rows = table(tmp_path, RUN, galleries=("standard",), spread=True)
    columns = list(rows[0])
    assert all(columns[columns.index(name) + 1] == f"{name}_sd" for name in METRICS)
    assert len(rows) == 14 + 6
    assert (rows[14]["mAP"], rows[14]["mAP_sd"], rows[14]["n_seeds"]) == ("10.06", "10.07", "2")
    assert (rows[0]["mAP"], rows[0]["mAP_sd"]) == ("69.4", "")


def test_only_market_1501_is_comparable_and_only_by_its_own_protocol(tmp_path: Path) -> None:
    assert {row["comparable"] for row in table(tmp_path, RUN)} == {"false"}
    rows = table(tmp_path, MARKET)
    assert [row["method"] for row in rows[:14] if row["comparable"] == "false"] == ["UECIR", "MSPA"]
    assert [(row["gallery"], row["comparable"]) for row in rows[14:]] == [("standard", "true")] * 6 + [("no_distractors", "false")] * 6
    notes = {row["method"]: row["protocol_note"] for row in rows[:14]}
    assert notes["UECIR"].startswith("centroid retrieval") and "mAP above Rank-1" in notes["MSPA"] and "distractors" in notes["QAFM"]
    assert {name for name, note in notes.items() if note == "trained without identity labels"} == {"HCM", "UPR"}
    assert sum(not note for note in notes.values()) == 9


def test_rivals_that_the_run_does_not_have(tmp_path: Path) -> None:
    table4, extra = both(tmp_path, RUN)[0], write(tmp_path / "few.csv", ["apn_descriptor", "apan_descriptor", "baseline"], RUN)
    tabulate_table3(table4, extra, RUN, ["baseline"], tmp_path / "table3.csv")
    with (tmp_path / "table3.csv").open(newline="") as stream:
        methods = [row["method"] for row in csv.DictReader(stream) if row["gallery"] == "standard"]
    assert methods == ["QAFM", "APN descriptor", "APAN descriptor", "Bag of Tricks"]
    with pytest.raises(InputError, match=r"few\.csv: has no row mspa_0\.5 of gallery standard$"):
        tabulate_table3(table4, extra, RUN, ["mspa_0.5"], tmp_path / "other.csv")


def test_an_unmeasured_rank_is_empty(tmp_path: Path) -> None:
    table4, extra = both(tmp_path, RUN)
    for path in (table4, extra):
        path.write_text(path.read_text().replace("rank10", "rank20", 1))
    tabulate_table3(table4, extra, RUN, RIVALS, tmp_path / "table3.csv")
    with (tmp_path / "table3.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["rank10"] for row in rows[13:]] == ["98.60"] + [""] * 12


def test_bad_tables_are_named(tmp_path: Path) -> None:
    table4, extra = both(tmp_path, RUN)
    out = tmp_path / "table3.csv"
    lacking = write(tmp_path / "lacking.csv", ["apn_descriptor", "mspa_0.5"], RUN)
    for first, second, run, reason in (
        (tmp_path / "none.csv", extra, RUN, r"none\.csv: cannot be read as CSV"),
        (lacking, extra, RUN, r"lacking\.csv: has no row QAFM of gallery standard$"),
        (table4, lacking, RUN, r"lacking\.csv: has no row apan_descriptor of gallery standard$"),
        (table4, extra, MARKET, r"table4\.csv: fixed_alpha_0\.1 is of dataset 'toy', expected 'market1501'$"),
        (table4, write(tmp_path / "m.csv", ["QAFM"], Run("toy", "full", "big", RUN.init)), RUN, r"m\.csv: QAFM is of model 'big', expected 'small'$"),
    ):
        with pytest.raises(InputError, match=rf"^[^\n]*{reason}"):
            tabulate_table3(first, second, run, RIVALS, out)
    extra.write_text(extra.read_text().replace("n_seeds", "seeds", 1))
    with pytest.raises(InputError, match=r"table4_extra\.csv: has no column 'n_seeds'$"):
        tabulate_table3(table4, extra, RUN, RIVALS, out)
    assert not out.exists()
