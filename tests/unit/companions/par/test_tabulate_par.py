"""Both tables of the PAR networks from predictions written by hand."""

import csv
import dataclasses
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from qafm.companions.par.identity_fold import trained_on
from qafm.companions.par.predictions import NO_HEAD, predictions_table
from qafm.companions.par.published import ACCURACY, GLOBAL, MACRO_F1, REPORT_ORDER
from qafm.companions.par.tabulate_par import ParRun, tabulate_par
from qafm.errors import InputError
from qafm.tables.attributes import ATTRIBUTE_NAMES
from qafm.tables.parquet import write_parquet
from tests.unit.companions.par.conftest import Row

RUN = ParRun("toy", "random", market1501=False, multi_color=True, train_share=0.6, split_seed=1)
MARKET = ParRun("market1501", "imagenet", market1501=True, multi_color=True, train_share=0.6, split_seed=1)
SIZES = dict(zip(ATTRIBUTE_NAMES, [2] * 9 + [4, 9, 10], strict=True))
ImagesOf = Callable[[list[Row]], Path]


def fitted_pids(rows: list[Row]) -> set[int]:
    pids = np.array([row["pid"] for row in rows if row["split"] == "train"])
    return set(pids[trained_on(pids, 0.6, 1)].tolist())


def sets_of(rows: list[Row]) -> dict[str, list[Row]]:
    fitted = fitted_pids(rows)
    return {
        "train": [row for row in rows if row["split"] == "train" and row["pid"] in fitted],
        "validation": [row for row in rows if row["split"] == "train" and row["pid"] not in fitted],
        "gallery": [row for row in rows if row["split"] == "gallery" and row["pid"] > 0],
    }


def code(row: Row, name: str) -> int:
    """The label as the tables take it: an unknown colour is `multi` if anything else is known."""
    others = [row[other] for other in ATTRIBUTE_NAMES if other not in ("up_color", "down_color")]
    if row[name] is None:
        return SIZES[name] - 1 if name in ("up_color", "down_color") and set(others) != {None} else -1
    return row[name]


def write(path: Path, rows: list[Row], seed: int, share: float = 0.6, without: str = "") -> dict[str, dict[str, int]]:
    """Predictions of every searched image, right in a `share` of the cases; returns them by image_id and attribute."""
    rng = np.random.default_rng(seed)
    searched = [row for row in rows if row["pid"] != -1 and (row["split"] != "train" or row["pid"] not in fitted_pids(rows))]
    answers = {}
    for row in searched:
        guesses = {name: int(rng.integers(SIZES[name])) for name in ATTRIBUTE_NAMES}
        right = {name: max(code(row, name), 0) for name in ATTRIBUTE_NAMES}
        answers[row["image_id"]] = {name: right[name] if rng.random() < share else guesses[name] for name in ATTRIBUTE_NAMES}
        if without:
            answers[row["image_id"]][without] = NO_HEAD
    order = rng.permutation(len(searched))  # the order of the file does not matter
    names = [searched[i]["image_id"] for i in order]
    codes = np.array([[answers[name][attribute] for attribute in ATTRIBUTE_NAMES] for name in names])
    write_parquet(path, predictions_table(names, ["query"] * len(names), codes))
    return answers


def read(path: Path) -> dict[tuple[str, str], dict[str, str]]:
    with path.open(newline="") as stream:
        return {(row["set"], row["attribute"]): row for row in csv.DictReader(stream)}


def slow_scores(pairs: list[tuple[int, int]], learned: set[int]) -> tuple[float, float]:
    """Accuracy of (label, answer), and macro F1 over those labels that were learned."""
    pairs = [(label, answer) for label, answer in pairs if label >= 0]
    f1 = []
    for c in sorted({label for label, _ in pairs} & learned):
        hits = sum(label == answer == c for label, answer in pairs)
        f1.append(2 * hits / (sum(label == c for label, _ in pairs) + sum(answer == c for _, answer in pairs)))
    return 100 * sum(label == answer for label, answer in pairs) / len(pairs), 100 * float(np.mean(f1))


def test_one_seed_against_loops(images: Path, rows: list[Row], tmp_path: Path) -> None:
    answers = {loss: write(tmp_path / f"{loss}.parquet", rows, seed, 0.7) for seed, loss in enumerate(("focal", "ce"))}
    tabulate_par([(1, loss, tmp_path / f"{loss}.parquet") for loss in answers], images, RUN, tmp_path / "a.csv", tmp_path / "f.csv")
    tables = read(tmp_path / "a.csv"), read(tmp_path / "f.csv")
    assert [list(table) for table in tables] == [[(name, attribute) for name in ("validation", "gallery") for attribute in (*REPORT_ORDER, GLOBAL)]] * 2
    head = ["attribute", "set", "dataset", "init", "n", "n_classes", "n_absent", "absent", "majority", "focal", "ce", "n_seeds", "note"]
    assert all(list(row) == head for table in tables for row in table.values())
    sets = sets_of(rows)
    for (name, attribute), row in tables[0].items():
        if attribute == GLOBAL:
            continue
        labels = [code(image, attribute) for image in sets[name]]
        learned = [label for image in sets["train"] if (label := code(image, attribute)) >= 0]
        common = min(set(learned), key=lambda c: (-learned.count(c), c))
        known = [label for label in labels if label >= 0]
        assert (row["n"], row["n_classes"], row["n_absent"]) == (str(len(known)), str(len(set(known))), str(SIZES[attribute] - len(set(known))))
        assert row["note"].startswith("never seen in training, so not in macro F1: ") == bool(set(known) - set(learned))
        assert len(row["absent"].split("; ")) == max(1, int(row["n_absent"]))
        for model in ("focal", "ce", "majority"):
            said = [common if model == "majority" else answers[model][image["image_id"]][attribute] for image in sets[name]]
            expected = slow_scores(list(zip(labels, said, strict=True)), set(learned))
            assert [float(table[name, attribute][model]) for table in tables] == pytest.approx(expected, abs=0.0051), (name, attribute, model)
    for table in tables:
        for name in ("validation", "gallery"):
            for model in ("focal", "ce", "majority"):
                mean = np.mean([float(table[name, attribute][model]) for attribute in REPORT_ORDER])
                assert float(table[name, GLOBAL][model]) == pytest.approx(mean, abs=0.011)


def test_several_seeds_give_mean_and_sample_deviation(images: Path, rows: list[Row], tmp_path: Path) -> None:
    files = []
    for seed in (3, 1, 2):
        write(tmp_path / f"{seed}.parquet", rows, seed, 0.2 * seed)
        files.append((seed, "ce", tmp_path / f"{seed}.parquet"))
    tabulate_par(files, images, RUN, tmp_path / "a.csv", tmp_path / "f.csv")
    alone = []
    for seed, loss, path in files:
        tabulate_par([(seed, loss, path)], images, RUN, tmp_path / "one.csv", tmp_path / "f1.csv")
        alone.append(read(tmp_path / "one.csv"))
    for key, row in read(tmp_path / "a.csv").items():
        values = [float(table[key]["ce"]) for table in alone]
        assert float(row["ce"]) == pytest.approx(np.mean(values), abs=0.011)
        assert float(row["ce_sd"]) == pytest.approx(np.std(values, ddof=1), abs=0.011)
        assert row["n_seeds"] == "3"
    first = (tmp_path / "a.csv").read_bytes()
    tabulate_par(files[::-1], images, RUN, tmp_path / "a.csv", tmp_path / "f.csv")
    assert (tmp_path / "a.csv").read_bytes() == first


def test_a_head_left_out_has_an_empty_row_with_its_reason(images_of: ImagesOf, rows: list[Row], tmp_path: Path) -> None:
    rows = [row | {"age": None} for row in rows]
    images = images_of(rows)
    write(tmp_path / "p.parquet", rows, 1, without="age")
    tabulate_par([(1, "ce", tmp_path / "p.parquet")], images, RUN, tmp_path / "a.csv", tmp_path / "f.csv")
    for table in (read(tmp_path / "a.csv"), read(tmp_path / "f.csv")):
        for name in ("validation", "gallery"):
            row = table[name, "age"]
            assert (row["ce"], row["majority"], row["n"], row["n_classes"]) == ("", "", "0", "0")
            assert row["note"] == "no known label among the trained identities: no head"
            assert table[name, GLOBAL]["note"] == "mean of 11 attributes"
            values = [float(table[name, attribute]["ce"]) for attribute in REPORT_ORDER if attribute != "age"]
            assert float(table[name, GLOBAL]["ce"]) == pytest.approx(np.mean(values), abs=0.011)


def test_labels_known_on_one_side_only(images_of: ImagesOf, rows: list[Row], tmp_path: Path) -> None:
    fitted = fitted_pids(rows)
    rows = [row | ({"hat": None} if row["split"] == "gallery" else {}) | ({"bag": 0} if row["pid"] in fitted else {}) for row in rows]
    rows = [row | ({"bag": 1} if row["split"] == "gallery" and row["pid"] > 0 else {}) for row in rows]
    write(tmp_path / "p.parquet", rows, 1)
    tabulate_par([(1, "ce", tmp_path / "p.parquet")], images_of(rows), RUN, tmp_path / "a.csv", tmp_path / "f.csv")
    table = read(tmp_path / "a.csv")
    assert (table["gallery", "hat"]["ce"], table["gallery", "hat"]["note"]) == ("", "no known label in this set")
    assert table["gallery", "bag"]["note"] == "never seen in training: yes"
    assert (table["gallery", "bag"]["majority"], table["gallery", "bag"]["absent"]) == ("0.00", "no")


def test_published_numbers_stand_beside_market_1501_on_validation_only(images: Path, rows: list[Row], tmp_path: Path) -> None:
    write(tmp_path / "p.parquet", rows, 1)
    files = [(1, loss, tmp_path / "p.parquet") for loss in ("ce", "alpha_focal")]
    tabulate_par(files, images, MARKET, tmp_path / "a.csv", tmp_path / "f.csv")
    for table, published in ((read(tmp_path / "a.csv"), ACCURACY), (read(tmp_path / "f.csv"), MACRO_F1)):
        for attribute in (*REPORT_ORDER, GLOBAL):
            for loss in ("ce", "alpha_focal"):
                assert table["validation", attribute][f"published_{loss}"] == f"{published[attribute][loss]:.2f}"
                assert table["gallery", attribute][f"published_{loss}"] == ""
        assert "published_focal" not in table["validation", "age"]
    tabulate_par(files, images, RUN, tmp_path / "a.csv", tmp_path / "f.csv")
    assert not any("published" in line for line in (tmp_path / "a.csv").read_text().splitlines())


def test_bad_files_are_named(images: Path, images_of: ImagesOf, rows: list[Row], tmp_path: Path) -> None:
    good = tmp_path / "good.parquet"
    write(good, rows, 1)
    few = tmp_path / "few.parquet"
    write(few, [row for row in rows if row["split"] != "gallery"], 1)
    narrow = dataclasses.replace(RUN, multi_color=False)
    wide = tmp_path / "wide.parquet"
    write(wide, [row | ({"up_color": None} if row["split"] == "gallery" else {}) for row in rows], 1, 1.0)
    for files, run, reason in (
        ([], RUN, r"^table: 0 files for losses \[\] and seeds \[\], one of each is needed$"),
        ([(1, "ce", good), (2, "focal", good)], RUN, r"^table: 2 files for losses .*, one of each is needed$"),
        ([(1, "ce", few)], RUN, r"few\.parquet: has no prediction for gallery_11_0\.png$"),
        ([(1, "ce", images)], RUN, r"images\.parquet: columns are .* expected"),
        ([(1, "ce", wide)], narrow, r"wide\.parquet: holds a class that is not among those of this run \(multi_color: False\)$"),
        ([(1, "ce", good)], dataclasses.replace(RUN, train_share=0.2), r"good\.parquet: has no prediction for train_"),
    ):
        with pytest.raises(InputError, match=reason):
            tabulate_par(files, images, run, tmp_path / "a.csv", tmp_path / "f.csv")
    alone = images_of([row for row in rows if row["split"] != "train" or row["pid"] == 1])
    with pytest.raises(InputError, match=r"other\.parquet: 1 train identities"):
        tabulate_par([(1, "ce", good)], alone, RUN, tmp_path / "a.csv", tmp_path / "f.csv")
    assert not (tmp_path / "a.csv").exists()
