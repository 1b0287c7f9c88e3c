"""bpbreid.csv and partial.csv: rows, means over seeds, and what is said where there is nothing."""

import csv
import json
from pathlib import Path

import pytest

from qafm.companions.bpbreid.evaluate_parts import experiment_name
from qafm.companions.bpbreid.tabulate_bpbreid import VariantFiles, tabulate_bpbreid
from qafm.companions.bpbreid.tabulate_partial import SystemFiles, tabulate_partial
from qafm.companions.bpbreid.views import PROTOCOLS
from qafm.errors import InputError
from qafm.runtime.files import write_json
from qafm.tables.table4 import Run

RUN = Run("people", "r10", "small", "random")
METRICS = ("rank1", "rank5", "mAP", "mAP_trapezoid", "mINP")


def artifact(path: Path, experiment: str, value: float) -> Path:
    gallery = {"visual_weight": None, "visual_weight_sd": None, "metrics": dict.fromkeys(METRICS, value), "n_queries": 4, "n_excluded": 0}
    write_json(path, {"experiment": experiment, "same_camera": "drop", "note": "", "galleries": {"standard": gallery}})
    return path


def read(path: Path) -> list[dict[str, str]]:
    with path.open() as stream:
        return list(csv.DictReader(stream))


def variant(folder: Path, name: str, seeds: dict[int, float], *, confusion: list | None = None, record: bool = True) -> VariantFiles:
    """Per seed one artifact by parts and one by the foreground (10 better), a summary, a curve of 3 epochs, and a record of 12.4 s x seed."""
    rows, summaries, histories, records = [], [], [], []
    for seed, value in seeds.items():
        own = folder / name / str(seed)
        by_parts = experiment_name("full", "full", "binary")
        rows += [(seed, by_parts, artifact(own / "parts.json", by_parts, value)), (seed, name, artifact(own / "foreground.json", name, value + 10))]
        write_json(own / "summary.json", {"parameters": 1234, "confusion": confusion})
        (own / "history.csv").write_text("epoch,loss\n1,3\n2,2\n3,1\n")
        if record:
            (own / "record.tsv").write_text(f"s\tmax_rss\tcpu_time\n{12.4 * seed}\t100\t5\n")
        summaries.append(own / "summary.json")
        histories.append(own / "history.csv")
        records.append(own / "record.tsv")
    return VariantFiles(name, rows, summaries, histories, records, f"about {name}")


def test_variants_side_by_side(tmp_path: Path) -> None:
    confusion = [[50, 0, 0], [0, 30, 10], [0, 10, 20]]
    variants = [variant(tmp_path, "masks", {1: 40.0}, confusion=confusion), variant(tmp_path, "stripes", {1: 30.0}, record=False)]
    tabulate_bpbreid(variants, {"learned": "not here"}, RUN, "foreground, parts", tmp_path / "t.csv")
    rows = read(tmp_path / "t.csv")
    assert [(row["variant"], row["compared"], row["visibility"], row["mAP"]) for row in rows] == [
        ("masks", "foreground, parts", "binary", "40.00"),
        ("masks", "foreground", "none", "50.00"),
        ("stripes", "foreground, parts", "binary", "30.00"),
        ("stripes", "foreground", "none", "40.00"),
        ("learned", "", "", ""),
    ]
    first = rows[0]
    assert first["part_mIoU"] == f"{100 * (30 / 50 + 20 / 40) / 2:.2f}" == first["part_mIoU_matched"]
    assert (first["parameters"], first["epochs"], first["wall_time_s"], first["note"]) == ("1234", "3", "12", "about masks")
    assert (first["dataset"], first["init"], first["gallery"], first["n_queries"], first["n_seeds"]) == ("people", "random", "standard", "4", "1")
    assert (rows[2]["part_mIoU"], rows[2]["wall_time_s"]) == ("", "") and rows[4]["note"] == "not here" and rows[4]["dataset"] == "people"
    assert "mAP_sd" not in first


def test_several_seeds_give_means_and_spread(tmp_path: Path) -> None:
    tabulate_bpbreid([variant(tmp_path, "masks", {1: 40.0, 2: 44.0})], {}, RUN, "parts", tmp_path / "t.csv")
    first = read(tmp_path / "t.csv")[0]
    assert (first["mAP"], first["mAP_sd"], first["n_seeds"], first["compared"]) == ("42.00", "2.83", "2", "parts")
    assert first["wall_time_s"] == "19"  # mean of 12.4 and 24.8


def test_a_data_set_without_any_variant_still_has_a_table(tmp_path: Path) -> None:
    tabulate_bpbreid([], {"masks": "no part masks"}, RUN, "parts", tmp_path / "t.csv")
    assert [(row["variant"], row["note"]) for row in read(tmp_path / "t.csv")] == [("masks", "no part masks")]


def test_broken_files_are_named(tmp_path: Path) -> None:
    files = variant(tmp_path, "masks", {1: 40.0})
    files.summaries[0].write_text("{}")
    with pytest.raises(InputError, match=r"summary\.json: is no summary of embed_bpbreid"):
        tabulate_bpbreid([files], {}, RUN, "parts", tmp_path / "t.csv")
    (tmp_path / "masks" / "1" / "parts.json").write_text(json.dumps({}))
    with pytest.raises(InputError, match=r"parts\.json: is no artifact"):
        tabulate_bpbreid([files], {}, RUN, "parts", tmp_path / "t.csv")
    assert not (tmp_path / "t.csv").exists()


def system(folder: Path, name: str, visibilities: tuple, base: float) -> SystemFiles:
    rows = []
    for number, (query, gallery) in enumerate(PROTOCOLS):
        for visibility in visibilities:
            experiment = experiment_name(query, gallery, visibility)
            rows.append((1, experiment, artifact(folder / name / f"{experiment}.json", experiment, base + number)))
    return SystemFiles(name, f"what {name} compares", visibilities, rows)


def test_people_seen_in_part(tmp_path: Path) -> None:
    systems = [system(tmp_path, "parts", ("binary", "none"), 40.0), system(tmp_path, "baseline", ("none",), 20.0)]
    tabulate_partial(systems, RUN, tmp_path / "p.csv")
    rows = read(tmp_path / "p.csv")
    assert [(row["query"], row["searched"]) for row in rows[::3]] == [
        ("full", "full"),
        ("upper", "full"),
        ("lower", "full"),
        ("occluded", "full"),
        ("upper", "lower"),
    ]
    assert [(row["system"], row["visibility"], row["mAP"]) for row in rows[3:6]] == [
        ("parts", "binary", "41.00"),
        ("parts", "none", "41.00"),
        ("baseline", "none", "21.00"),
    ]
    assert rows[0]["compared"] == "what parts compares" and rows[0]["dataset"] == "people" and rows[0]["n_queries"] == "4"


def test_any_number_of_systems(tmp_path: Path) -> None:
    tabulate_partial([system(tmp_path, "baseline", ("none",), 20.0)], RUN, tmp_path / "p.csv")
    assert len(read(tmp_path / "p.csv")) == len(PROTOCOLS)
