import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from qafm.errors import InputError
from qafm.galleries.append_gallery import append_gallery
from qafm.galleries.evaluate_files import evaluate_files
from qafm.tables.descriptors import descriptors_table
from qafm.tables.gallery import WITHOUT_Q, GalleryRows
from tests.unit.galleries.conftest import DIM, MODEL, made_up

Q, G = 20, 70
VECTORS = {"query": made_up(Q, seed=1), "gallery": made_up(G, seed=2)}
VECTORS["gallery"] *= np.linspace(0.8, 1.3, G, dtype=np.float32)[:, None]  # cosine and Euclidean distance rank differently
PID = {"query": np.arange(Q) % 7 + 1, "gallery": np.where(np.arange(G) >= 60, np.where(np.arange(G) % 2, 0, -1), np.arange(G) % 7 + 1)}
CAMID = {"query": np.arange(Q) % 3 + 1, "gallery": np.arange(G) % 4 + 1}


def slow(metric: str, same_camera: str, *, distractors: bool = True) -> dict[str, float]:
    """CMC and mAP by sorting the whole gallery for each query and walking down the list."""
    first, average, negative = [], [], []
    for i in range(Q):
        q = VECTORS["query"][i].astype(float)
        scored = []
        for j in range(G):
            g, pid, camid = VECTORS["gallery"][j].astype(float), PID["gallery"][j], CAMID["gallery"][j]
            if pid == -1 or (pid == 0 and not distractors):
                continue
            if same_camera == "drop" and pid == PID["query"][i] and camid == CAMID["query"][i]:
                continue
            distance = np.linalg.norm(q - g) if metric == "euclidean" else 1 - q @ g / np.linalg.norm(q) / np.linalg.norm(g)
            scored.append((distance, j))
        right = [PID["gallery"][j] == PID["query"][i] for _, j in sorted(scored)]
        places = [place for place, hit in enumerate(right, start=1) if hit]
        first.append(places[0])
        average.append(np.mean([(k + 1) / place for k, place in enumerate(places)]))
        negative.append(len(places) / places[-1])
    return {f"rank{r}": 100 * float(np.mean([f <= r for f in first])) for r in (1, 3)} | {
        "mAP": 100 * float(np.mean(average)),
        "mINP": 100 * float(np.mean(negative)),
    }


def gallery_of(path: Path, side: str) -> Path:
    n = len(VECTORS[side])
    rows = GalleryRows([f"{side}/{i}" for i in range(n)], [f"{side}{i}" for i in range(n)], VECTORS[side], pid=PID[side], camid=CAMID[side])
    append_gallery(path, [rows], **MODEL)
    return path


def npz_of(path: Path, side: str, **change: np.ndarray) -> Path:
    np.savez(path, **{"features": VECTORS[side], "pids": PID[side], "camids": CAMID[side]} | change)
    return path


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    return npz_of(tmp_path / "q.npz", "query"), npz_of(tmp_path / "g.npz", "gallery")


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
@pytest.mark.parametrize("same_camera", ["drop", "keep"])
def test_metrics_are_those_of_the_slow_way(files: tuple[Path, Path], metric, same_camera) -> None:
    found = evaluate_files(*files, metric=metric, same_camera=same_camera, ranks=(1, 3))
    wanted = slow(metric, same_camera)
    assert {name: found.metrics[name] for name in wanted} == pytest.approx(wanted)
    assert found.without_distractors is not None
    wanted = slow(metric, same_camera, distractors=False)
    assert {name: found.without_distractors[name] for name in wanted} == pytest.approx(wanted)
    assert (found.metrics["n_queries"], found.dim, found.n_gallery, found.n_junk, found.n_distractors) == (Q, DIM, 65, 5, 5)
    told = json.loads(json.dumps(found.as_dict()))
    assert (told["metric"], told["same_camera"], told["excluded"]) == (metric, same_camera, [])


def test_the_made_up_case_tells_the_settings_apart() -> None:
    found = [slow(metric, same_camera)["mAP"] for metric in ("cosine", "euclidean") for same_camera in ("drop", "keep")]
    assert len(set(found)) == 4
    assert slow("cosine", "drop")["rank1"] < 100


def test_a_gallery_of_ours_gives_the_same(tmp_path: Path, files: tuple[Path, Path]) -> None:
    ours = evaluate_files(gallery_of(tmp_path / "q.parquet", "query"), gallery_of(tmp_path / "g.parquet", "gallery"))
    assert ours.metrics == pytest.approx(evaluate_files(*files).metrics)


def test_the_chain_s_descriptors_are_evaluated_by_their_splits(tmp_path: Path) -> None:
    """Both sides in one file; identities from the names, or from images.parquet."""
    names = {side: [f"{side}/{pid:04d}_c{camid}s1_{i:06d}_00.jpg" for i, (pid, camid) in enumerate(zip(PID[side], CAMID[side], strict=True))] for side in PID}
    names["gallery"] = [name.replace("/-001", "/-1") for name in names["gallery"]]
    both = names["query"] + names["gallery"] + ["train/0001_c1s1_000000_00.jpg"]
    splits = ["query"] * Q + ["gallery"] * G + ["train"]
    unit = np.concatenate([VECTORS["query"], VECTORS["gallery"], np.ones((1, DIM), np.float32)])
    unit /= np.linalg.norm(unit, axis=1, keepdims=True)
    path = tmp_path / "descriptors.parquet"
    pq.write_table(descriptors_table(both, splits, unit), path)
    found = evaluate_files(path, path, ranks=(1, 3))
    wanted = slow("cosine", "drop")
    assert {name: found.metrics[name] for name in wanted} == pytest.approx(wanted)
    labels = tmp_path / "images.parquet"
    pq.write_table(
        pa.table(
            {"image_id": both[::-1], "pid": [1, *PID["gallery"][::-1], *PID["query"][::-1]], "camid": [1, *CAMID["gallery"][::-1], *CAMID["query"][::-1]]}
        ),
        labels,
    )
    assert evaluate_files(path, path, query_labels=labels, gallery_labels=labels, ranks=(1, 3)).metrics == found.metrics


def test_an_image_is_not_found_in_itself(tmp_path: Path) -> None:
    vectors = made_up(Q, identities=Q)  # nobody looks like anybody
    named = npz_of(tmp_path / "named.npz", "query", features=vectors, paths=np.array([f"{i}.jpg" for i in range(Q)]))
    nameless = npz_of(tmp_path / "nameless.npz", "query", features=vectors)
    assert evaluate_files(named, named, same_camera="keep").metrics["rank1"] < 50
    assert evaluate_files(nameless, nameless, same_camera="keep").metrics["rank1"] == 100


def test_queries_that_nobody_matches_are_named(tmp_path: Path, files: tuple[Path, Path]) -> None:
    pid = PID["query"].copy()
    pid[4] = 77
    found = evaluate_files(npz_of(tmp_path / "other.npz", "query", pids=pid, paths=np.array([f"x{i}" for i in range(Q)])), files[1])
    assert found.as_dict()["excluded"] == ["x4"]
    assert (found.metrics["n_queries"], found.metrics["n_excluded"]) == (Q - 1, 1)


def test_identities_counted_from_0_are_identities(tmp_path: Path) -> None:
    q, g = npz_of(tmp_path / "q.npz", "query", pids=PID["query"] - 1), npz_of(tmp_path / "g.npz", "gallery", pids=np.arange(G) % 7)
    found = evaluate_files(q, g)
    assert found.without_distractors is None
    assert (found.n_distractors, found.metrics["n_queries"]) == (0, Q)


def test_ranks_that_nobody_asked_for_are_dropped_above_the_gallery(tmp_path: Path, files: tuple[Path, Path]) -> None:
    few = npz_of(tmp_path / "few.npz", "gallery", features=VECTORS["gallery"][:6], pids=PID["gallery"][:6], camids=CAMID["gallery"][:6])
    found = evaluate_files(files[0], few, same_camera="keep").metrics
    assert [name for name in found if name.startswith("rank")] == ["rank1", "rank5"]
    with pytest.raises(InputError, match=f"^{few}: rank 10 of a gallery of 6 images$"):
        evaluate_files(files[0], few, same_camera="keep", ranks=(1, 5, 10))


def test_paths_may_be_texts(files: tuple[Path, Path]) -> None:
    assert evaluate_files(str(files[0]), str(files[1])).metrics == evaluate_files(*files).metrics


def vectors_with(side: str, row: int, value: float) -> np.ndarray:
    vectors = VECTORS[side].copy()
    vectors[row] = value
    return vectors


@pytest.mark.parametrize(
    ("query", "gallery", "settings", "message"),
    [
        ({}, {}, {"ranks": (1, 66)}, "{g}: rank 66 of a gallery of 65 images"),
        ({}, {}, {"ranks": (0,)}, "{g}: rank 0 of a gallery of 65 images"),
        ({}, {}, {"metric": "manhattan"}, "metric: 'manhattan' is neither cosine nor euclidean"),
        ({}, {}, {"same_camera": "maybe"}, "{q}, {g}: same_camera: 'maybe' is neither drop nor keep"),
        ({"features": VECTORS["query"][:, :8]}, {}, {}, "{g}: has descriptors of length 16, {q} of 8"),
        ({"features": vectors_with("query", 3, np.nan)}, {}, {}, "{q}: query:3: the descriptor is not finite"),
        ({}, {"features": vectors_with("gallery", 5, np.inf)}, {"metric": "euclidean"}, "{g}: gallery:5: the descriptor is not finite"),
        ({}, {"features": vectors_with("gallery", 5, 0)}, {}, "{g}: gallery:5: the descriptor is zero"),
        ({}, {"features": VECTORS["gallery"][:0], "pids": np.empty(0), "camids": np.empty(0)}, {}, r"{g}: descriptors are float32 of shape \(0, 16\)"),
        ({}, {"pids": np.full(G, -1)}, {}, r"{g}: all 70 images are junk \(pid -1\)"),
        ({}, {"pids": PID["gallery"][:-1]}, {}, r"{g}: 70 descriptors, but pid of shape \(69,\)"),
        ({}, {"paths": np.array(["a"] * 2 + [f"b{i}" for i in range(G - 2)])}, {}, "{g}: a is the name of 2 images of the gallery"),
        ({}, {"paths": np.array(["a"] * 2 + ["b"] * 3 + [f"c{i}" for i in range(G - 5)])}, {}, "{g}: a is the name of 2 images of the gallery"),
        ({"pids": np.full(Q, 99)}, {}, {}, "{q}, {g}: retrieval: none of the 20 queries has a valid match"),
        ({"camids": np.full(Q, -1)}, {}, {}, "{q}, {g}: query:0: query image without a camera"),
        ({"pids": np.where(np.arange(Q) == 6, np.nan, 1.0)}, {}, {}, "{q}: row 6: pid is 'nan', not an integer"),
    ],
)
def test_bad_input_is_told_in_one_line(tmp_path: Path, query: dict, gallery: dict, settings: dict, message: str) -> None:
    q, g = npz_of(tmp_path / "q.npz", "query", **query), npz_of(tmp_path / "g.npz", "gallery", **gallery)
    with pytest.raises(InputError, match="^" + message.format(q=q, g=g)) as caught:
        evaluate_files(q, g, **settings)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("model_id", "message"),
    [
        ("other", "{g}: was made by another model than {q}"),
        (f"other{WITHOUT_Q}", "{g}: was made by another model than {q}"),
        (f"{MODEL['model_id']}{WITHOUT_Q}", "{g}: was made without Q, {q} with Q; make both alike"),
    ],
)
def test_descriptors_of_two_models_are_not_compared(tmp_path: Path, model_id: str, message: str) -> None:
    q = gallery_of(tmp_path / "q.parquet", "query")
    g = tmp_path / "g.parquet"
    append_gallery(g, [GalleryRows(["x"], ["x"], made_up(1), pid=[1], camid=[1])], **MODEL | {"model_id": model_id})
    with pytest.raises(InputError, match=f"^{message.format(q=q, g=g)}$"):
        evaluate_files(q, g, ranks=(1,))
