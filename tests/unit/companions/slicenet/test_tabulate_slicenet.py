"""The table from artifacts made by hand: means, spreads, last and best epochs, published numbers, what is empty and what is refused."""

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from qafm.companions.slicenet import published
from qafm.companions.slicenet.protocols import PROTOCOLS
from qafm.companions.slicenet.published import are_the_reports
from qafm.companions.slicenet.results import EpochMetrics, best_look, read_looks, read_protocols
from qafm.companions.slicenet.tabulate_slicenet import COLUMNS, tabulate_slicenet
from qafm.config.parse import FoldersConfig, ParseConfig
from qafm.config.slicenet import SlicenetConfig
from qafm.datasets.parse_dataset import parse_dataset
from qafm.errors import InputError
from qafm.tables.images import IMAGES_SCHEMA
from qafm.tables.parquet import write_parquet

CONFIG = SlicenetConfig.model_validate({"foreign": {"file": "weights.pth", "network": "slicenet1"}})
File = tuple[str, int, Path]


@pytest.fixture
def images(tmp_path: Path) -> Path:
    rows = [dict.fromkeys(IMAGES_SCHEMA.names) | {"image_id": f"{i}", "path": f"{i}", "split": split, "sha256": f"hash {i}", "pid": 1} for i, split in SPLITS]
    made = [row | {"junk": row["image_id"] == "4", "distractor": False, "height": 1, "width": 1} for row in rows]
    write_parquet(tmp_path / "images.parquet", pa.Table.from_pylist(made, IMAGES_SCHEMA))
    return tmp_path / "images.parquet"


SPLITS = [(1, "train"), (2, "query"), (3, "gallery"), (4, "gallery")]


def metrics(value: float, n: int = 28) -> dict[str, float]:
    return {"rank1": value, "rank5": value + 1, "mAP": value + 2, "n_queries": n}


def artifact(folder: Path, row: str, seed: int, value: float, **more: Any) -> File:
    path = folder / f"{row}-{seed}.json"
    found = {name: metrics(value + 10 * i, 28 - i) for i, name in enumerate(PROTOCOLS)}
    path.write_text(json.dumps({"row": row, "note": "", "protocols": found | more}))
    return row, seed, path


def history(folder: Path, system: str, seed: int, looks: dict[int, float], epochs: int, market: bool = True) -> File:
    path = folder / f"{system}-{seed}.csv"
    names = [f"{protocol}_{metric}" for protocol in PROTOCOLS if market or protocol != "market" for metric in ("rank1", "rank5", "mAP")]
    lines = [",".join(["epoch", "cross_entropy", "kappa", "images_seen", *names])]
    for epoch in range(1, epochs + 1):
        values = [f"{looks[epoch] + PROTOCOLS.index(name.rsplit('_', 1)[0]) * 10:g}" if epoch in looks else "" for name in names]
        lines.append(",".join([str(epoch), "1.5", "2", str(992 * epoch), *values]))
    path.write_text("\n".join(lines) + "\n")
    return system, seed, path


def record(folder: Path, system: str, seed: int, seconds: float) -> File:
    path = folder / f"{system}-{seed}.tsv"
    path.write_text(f"s\th:m:s\tmax_rss\tcpu_time\n{seconds}\t0:00:01\t10\t1\n")
    return system, seed, path


def table(out: Path) -> list[dict[str, str]]:
    with out.open() as stream:
        return list(csv.DictReader(stream))


def make(images: Path, tmp_path: Path, records: list[File]) -> list[dict[str, str]]:
    rows = [artifact(tmp_path, "baseline", 1, 50), artifact(tmp_path, "slicenet2", 1, 60), artifact(tmp_path, "slicenet2", 2, 64)]
    rows += [artifact(tmp_path, "slicenet2_sign", 1, 40, market=None), artifact(tmp_path, "slicenet2_sign", 2, 41, market=None)]
    rows += [artifact(tmp_path, "foreign", 0, 70)]
    curves = [history(tmp_path, "baseline", 1, {5: 48, 10: 50}, 10)]
    curves += [history(tmp_path, "slicenet2", 1, {5: 66, 10: 60}, 10), history(tmp_path, "slicenet2", 2, {5: 60, 10: 64}, 10)]
    tabulate_slicenet(images, rows, curves, records, CONFIG, "some-people", tmp_path / "slicenet.csv")
    return table(tmp_path / "slicenet.csv")


def test_rows_at_the_last_epoch_come_first(images: Path, tmp_path: Path) -> None:
    found = make(images, tmp_path, [])
    assert tuple(found[0]) == COLUMNS
    names = [(row["row"], row["chosen"]) for row in found]
    assert names == [
        *((name, "last epoch") for name in ("baseline", "slicenet2", "slicenet2_sign", "foreign")),
        *((name, "best epoch") for name in ("baseline", "slicenet2")),
    ]
    assert {row["dataset"] for row in found} == {"some-people"}
    assert [row["network"] for row in found] == ["BigNet", "SliceNet2", "SliceNet2", "SliceNet1", "BigNet", "SliceNet2"]
    assert [row["mirrored_copies"] for row in found] == ["no", "yes", "yes", "", "no", "yes"]
    assert [row["epochs"] for row in found] == ["60", "60", "60", "", "60", "60"]
    assert [row["epoch"] for row in found] == ["10", "10", "10", "", "10", "5 10"]
    assert [row["images_seen"] for row in found] == ["9920", "9920", "9920", "", "9920", "7440"]
    assert [row["n_seeds"] for row in found] == ["1", "2", "2", "1", "1", "2"]
    notes = ["", "", "the sign of each value, as the notebooks compute descriptors", "weights trained elsewhere"]
    assert [row["note"] for row in found] == [*notes, *["chosen on the test images, as the report does"] * 2]


def test_means_and_spreads_of_every_protocol(images: Path, tmp_path: Path) -> None:
    last = make(images, tmp_path, [])[1]
    sd = f"{np.std([60, 64], ddof=1):.2f}"
    wanted = {"rank1": "62.00", "rank5": "63.00", "mAP_top10": "64.00", "mAP_full": "74.00", "rank1_no_copies": "82.00", "mAP_no_copies": "84.00"}
    wanted |= {"rank1_market": "92.00", "mAP_market": "94.00"}
    assert {name: last[name] for name in wanted} == wanted
    assert {last[f"{name}_sd"] for name in wanted} == {sd}
    assert [last[name] for name in ("n_queries", "n_queries_no_copies", "n_queries_market")] == ["28", "26", "25"]
    baseline, _, sign, *_, best = make(images, tmp_path, [])
    assert baseline["rank1"] == "50.00" and baseline["rank1_sd"] == ""
    assert (sign["rank1"], sign["rank1_market"], sign["mAP_market"], sign["mAP_market_sd"], sign["n_queries_market"]) == ("40.50", "", "", "", "0")
    assert (best["mAP_top10"], best["mAP_full"], best["rank1_market"]) == ("65.00", "75.00", "95.00")  # seed 1 at epoch 5, seed 2 at epoch 10


def test_minutes_are_those_that_were_recorded(images: Path, tmp_path: Path) -> None:
    records = [record(tmp_path, "slicenet2", 1, 60), record(tmp_path, "slicenet2", 2, 180), ("baseline", 1, tmp_path / "nowhere.tsv")]
    assert [row["train_minutes"] for row in make(images, tmp_path, records)] == ["", "2.0", "2.0", "", "", "2.0"]


def test_published_numbers_stand_beside_the_reports_own_images_alone(images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    columns = ("paper_rank1", "paper_rank5", "paper_mAP_top10")
    assert all(not row[name] for row in make(images, tmp_path, []) for name in columns)
    monkeypatch.setattr(published, "_TEST_IMAGES", "7d420d1e208049d73e46b4c75d9e8577681c4bb68c48be15fc72f80e9c93354f")
    found = [tuple(row[name] for name in columns) for row in make(images, tmp_path, [])]
    baseline, slicenet2, nothing = ("92.9", "100.0", "86.1"), ("96.4", "100.0", "95.3"), ("", "", "")
    assert found == [baseline, slicenet2, nothing, nothing, baseline, slicenet2]


def test_published_numbers_are_those_of_table_5() -> None:
    table_5 = {  # Rank-1, Rank-5, mAP, as the report prints them
        "baseline": (0.929, 1.000, 0.861),
        "baseline_aug": (0.857, 1.000, 0.878),
        "slicenet1": (0.964, 1.000, 0.951),
        "slicenet2": (0.964, 1.000, 0.953),
    }
    for row, shares in (table_5 | {"slicenet2_long": table_5["slicenet2"]}).items():
        found = published.PUBLISHED[row]
        assert (found.rank1, found.rank5, found.mAP) == pytest.approx([100 * share for share in shares], abs=1e-9), row
    assert set(published.PUBLISHED) == {*table_5, "slicenet2_long"}


def test_the_reports_images_are_recognised(shared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("col780").symlink_to(shared / "data" / "col780")
    authors = FoldersConfig(root="col780", split_by="folders", query="val/query", gallery="val/gallery", camera_pattern=r"^(?P<camera>\d+)_")
    other = FoldersConfig(root="col780", pool=("val/query", "val/gallery"), camera_pattern=r"^(?P<camera>\d+)_")
    for folders, expected in ((authors, True), (other, False)):
        parse_dataset(ParseConfig(kind="folders", folders=folders), Path("col780"), Path("images.parquet"), Path("dataset.json"))
        assert are_the_reports(Path("images.parquet")) == expected


def test_the_best_look_is_the_first_of_equal_ones() -> None:
    def look(epoch: int, value: float | None) -> EpochMetrics:
        return EpochMetrics(epoch, 0, {"top10": None if value is None else {"mAP": value}})

    assert best_look([look(5, 80), look(10, 90), look(15, 90), look(20, 85)]).epoch == 10
    assert best_look([look(5, None), look(10, 0)]).epoch == 10


def test_protocols_that_were_not_measured_are_missing_in_a_look(tmp_path: Path) -> None:
    looks = read_looks(history(tmp_path, "baseline", 1, {2: 50, 3: 60}, 3, market=False)[2])
    assert [(look.epoch, look.images_seen) for look in looks] == [(2, 1984), (3, 2976)]
    assert looks[0].protocols["market"] is None and looks[0].protocols["full"] == {"rank1": 60, "rank5": 60, "mAP": 60}


def test_damaged_files_are_named(images: Path, tmp_path: Path) -> None:
    row, _, path = artifact(tmp_path, "baseline", 1, 50)
    with pytest.raises(InputError, match=r"baseline-1\.json: is of row baseline, expected slicenet1"):
        read_protocols(path, "slicenet1")
    for content in ("torn", "{}", '{"row": "baseline", "protocols": {}}'):
        path.write_text(content)
        with pytest.raises(InputError, match=r"baseline-1\.json: is no artifact of evaluate_slicenet"):
            read_protocols(path, row)
    curve = tmp_path / "history.csv"
    for content, reason in (
        ("", "has no column 'epoch'"),
        ("epoch,loss\n1,2\n", "has no column 'images_seen'"),
        ("epoch,images_seen,top10_mAP\n1,x,2\n", "is no learning curve of train_slicenet"),
        ("epoch,images_seen,top10_mAP\n1,2\n", "row 1 has another number of cells than the header"),
        ("epoch,images_seen,top10_mAP\n", "ends without a look"),
    ):
        curve.write_text(content)
        with pytest.raises(InputError, match=rf"history\.csv: {reason}"):
            read_looks(curve)
    curve.write_text("epoch,images_seen,top10_mAP\n1,5,2\n2,10,\n")
    with pytest.raises(InputError, match=r"history\.csv: ends without a look at query and gallery"):
        read_looks(curve)
    with pytest.raises(InputError, match=r"nowhere\.csv: cannot be read as CSV"):
        read_looks(tmp_path / "nowhere.csv")
    with pytest.raises(InputError, match="no row to tabulate"):
        tabulate_slicenet(images, [], [], [], CONFIG, "d", tmp_path / "out.csv")
    assert not (tmp_path / "out.csv").exists()
