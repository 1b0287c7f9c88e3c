"""`qafm evaluate`, `qafm index` and `qafm export`: options reach the functions behind them, answers reach the reader."""

import json
import os
from pathlib import Path

import numpy as np
import pytest

from qafm.galleries.evaluate_files import evaluate_files
from tests.unit.cli.conftest import Run, one_line


@pytest.mark.usefixtures("place")
def test_galleries_of_embed(run: Run) -> None:
    for folder in ("query", "gallery"):
        run("embed", folder, "-o", f"{folder}.parquet", "--names", "market")
    expected = evaluate_files(Path("query.parquet"), Path("gallery.parquet"), ranks=(1, 5, 10))
    content = json.loads(run("evaluate", "--query", "query.parquet", "--gallery", "gallery.parquet", "--json").stdout)
    assert content["metrics"] == expected.metrics
    text = run("evaluate", "--query", "query.parquet", "--gallery", "gallery.parquet").stdout
    row = next(line.split() for line in text.splitlines() if line.startswith("all"))
    assert row == ["all", *(f"{expected.metrics[name]:.1f}" for name in ("rank1", "rank5", "rank10", "mAP", "mINP"))]
    assert expected.without_distractors is not None
    assert "without distractors" in text
    assert f"{expected.metrics['n_queries']:.0f} queries, {expected.n_gallery} gallery images, 1 of them junk, left out, 2 distractors" in text


@pytest.fixture
def arrays(place: Path) -> Path:
    """Descriptors of another tool: 6 images of 3 people, two cameras, with labels in the file."""
    rng = np.random.default_rng(0)
    pids = np.repeat(np.arange(1, 4), 2)
    for side in ("q", "g"):
        features = np.eye(3)[pids - 1] * 3 + rng.normal(size=(6, 3))
        np.savez(place / f"{side}.npz", features=features, pids=pids, camids=np.tile([1, 2], 3))
    return place


@pytest.mark.usefixtures("arrays")
def test_options(run: Run) -> None:
    base = ("evaluate", "--query", "q.npz", "--gallery", "g.npz", "--json", "--ranks", "1,5")
    drop, keep = json.loads(run(*base).stdout), json.loads(run(*base, "--same-camera", "keep").stdout)
    assert (drop["same_camera"], keep["same_camera"]) == ("drop", "keep")
    expected = evaluate_files(Path("q.npz"), Path("g.npz"), metric="euclidean", same_camera="keep", ranks=(2, 3)).metrics
    found = json.loads(run(*base[:-2], "--same-camera", "keep", "--metric", "euclidean", "--ranks", "2,3").stdout)
    assert (found["metric"], found["metrics"]) == ("euclidean", expected)
    assert {"rank2", "rank3"} <= set(found["metrics"])


@pytest.mark.usefixtures("arrays")
def test_labels_of_their_own(run: Run) -> None:
    features = np.load("q.npz")["features"]
    np.save("bare.npy", features)
    Path("labels.csv").write_text("pid,camid\n" + "".join(f"{pid},{camera}\n" for pid in (1, 2, 3) for camera in (1, 2)))
    labels = ("--query-labels", "labels.csv", "--gallery-labels", "labels.csv")
    content = json.loads(run("evaluate", "--query", "bare.npy", "--gallery", "bare.npy", *labels, "--json", "--ranks", "1").stdout)
    assert content["metrics"]["n_queries"] == 6


@pytest.mark.usefixtures("arrays")
def test_a_small_gallery_has_fewer_ranks_unless_they_are_asked_for(run: Run) -> None:
    base = ("evaluate", "--query", "q.npz", "--gallery", "g.npz")
    metrics = json.loads(run(*base, "--json").stdout)["metrics"]
    assert {name for name in metrics if name.startswith("rank")} == {"rank1", "rank5"}
    assert one_line(run(*base, "--ranks", "1,5,10", code=1).stderr) == "qafm: g.npz: rank 10 of a gallery of 6 images"


@pytest.mark.parametrize("ranks", ["", "1,x", "0", "-1"])
@pytest.mark.usefixtures("arrays")
def test_ranks_are_numbers(run: Run, ranks: str) -> None:
    run("evaluate", "--query", "q.npz", "--gallery", "g.npz", f"--ranks={ranks}", code=2)


@pytest.mark.usefixtures("place")
def test_a_file_that_is_missing(run: Run) -> None:
    assert one_line(run("evaluate", "--query", "gone.npz", "--gallery", "gone.npz", code=1).stderr).startswith("qafm: gone.npz: ")


def test_an_index_is_made_and_used(run: Run, place: Path) -> None:
    run("embed", "gallery", "-o", "g.parquet")
    content = json.loads(run("index", "g.parquet", "--recall", "0.5", "--json").stdout)
    assert Path(content["index"]) == place / "g.parquet.ivf"
    assert content["rows"] == len(list((place / "gallery").iterdir()))
    assert "of the 10 nearest" in run("index", "g.parquet", "--recall", "0.5").stdout
    query = sorted(str(path.relative_to(place)) for path in (place / "query").iterdir())[0]
    assert "By the index" in run("search", query, "-g", "g.parquet", "--approximate", "always").stdout
    assert "By the index" not in run("search", query, "-g", "g.parquet", "--approximate", "never").stdout
    (place / "g.parquet.ivf").unlink()
    assert one_line(run("search", query, "-g", "g.parquet", "--approximate", "always", code=1).stderr).startswith("qafm: g.parquet")


def test_an_index_lies_where_the_gallery_does(run: Run, place: Path) -> None:
    (place / "elsewhere").mkdir()
    run("embed", "query", "-o", "elsewhere/g.parquet")
    (place / "link.parquet").symlink_to("elsewhere/g.parquet")
    for name, index in (("elsewhere/g.parquet", "elsewhere/g.parquet.ivf"), ("link.parquet", f"{place}/elsewhere/g.parquet.ivf")):
        assert run("index", name, "--recall", "0.5").stdout.startswith(f"{index}: ")


@pytest.mark.usefixtures("place")
def test_a_folder_that_takes_no_index_is_told_before_the_work(run: Run, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run("embed", "query", "-o", "g.parquet")
    monkeypatch.setattr("qafm.cli.output.os.access", lambda _, mode: mode != os.W_OK)
    monkeypatch.delattr("qafm.galleries.build_index.build_index")
    assert one_line(run("index", "g.parquet", code=1).stderr) == f"qafm: {place}/g.parquet.ivf: cannot be written into {place}"


@pytest.mark.usefixtures("place")
def test_a_recall_is_a_share(run: Run) -> None:
    run("embed", "query", "-o", "g.parquet")
    assert "is not between 0 and 1" in one_line(run("index", "g.parquet", "--recall", "2", code=1).stderr)


def test_export_to_onnx(run: Run, place: Path) -> None:
    content = json.loads(run("export", "-o", "model.onnx", "--weight", "q", "--json").stdout)
    assert content["bytes"] == (place / "model.onnx").stat().st_size
    assert content["inputs"] == {"images": "uint8 [batch, 3, 64, 32]", "q": "float32 [batch]"}
    assert content["outputs"] == {"descriptor": "float32 [batch, 16]", "visual_weight": "float32 [batch]"}
    before = (place / "model.onnx").read_bytes()
    assert one_line(run("export", "-o", "model.onnx", code=1).stderr).startswith("qafm: model.onnx: ")
    assert (place / "model.onnx").read_bytes() == before
    assert "model.onnx: 1." in run("export", "-o", "model.onnx", "--overwrite").stdout


def test_the_ending_fits_the_format(run: Run, place: Path) -> None:
    for arguments in (("-o", "model.pt2"), ("-o", "model.onnx", "--format", "torch")):
        assert one_line(run("export", *arguments, code=1).stderr).startswith(f"qafm: {arguments[1]}: ")
    assert sorted(path.name for path in place.iterdir()) == ["gallery", "query"]
