import pickle
import zipfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import scipy.io
import torch

from qafm.errors import InputError
from qafm.galleries.append_gallery import append_gallery
from qafm.galleries.read_side import read_side
from qafm.galleries.side import Columns, SideName
from qafm.tables.gallery import GalleryRows
from tests.unit.galleries.conftest import MODEL, made_up

QUERY, GALLERY = made_up(3), made_up(5, seed=1)
Q_PID, G_PID = np.array([4, 0, 2]), np.array([2, 4, -1, 0, 9])
Q_CAM, G_CAM = np.array([1, 2, 3]), np.array([3, 2, 1, 1, 6])
Q_PATHS, G_PATHS = ["q/a.jpg", "q/b.jpg", "q/ü.jpg"], [f"g/{i}.jpg" for i in range(5)]

TORCHREID = {"qf": QUERY, "q_pids": Q_PID, "q_camids": Q_CAM, "q_paths": Q_PATHS, "gf": GALLERY, "g_pids": G_PID, "g_camids": G_CAM, "g_paths": G_PATHS}
BASELINE = {"query_f": QUERY, "query_label": Q_PID, "query_cam": Q_CAM, "gallery_f": GALLERY, "gallery_label": G_PID, "gallery_cam": G_CAM}
DEEP_SORT = {"qf": QUERY, "ql": Q_PID, "gf": GALLERY, "gl": G_PID}
ONE_SIDE = [
    {"features": GALLERY, "pids": G_PID, "camids": G_CAM, "paths": G_PATHS},
    {"feature": GALLERY, "ids": G_PID, "cam": G_CAM},
    {"feats": GALLERY, "labels": G_PID, "cams": G_CAM, "img_path": G_PATHS},
    {"embeddings": GALLERY, "pid": G_PID, "camid": G_CAM},
]


def check(found: Columns, side: SideName, *, cameras: bool = True, names: bool = False) -> None:
    vectors, pid, camid, paths = (QUERY, Q_PID, Q_CAM, Q_PATHS) if side == "query" else (GALLERY, G_PID, G_CAM, G_PATHS)
    np.testing.assert_array_equal(found.vectors, vectors)
    assert found.pid is not None
    np.testing.assert_array_equal(found.pid, pid)
    assert (found.camid is not None) == cameras
    if found.camid is not None:
        np.testing.assert_array_equal(found.camid, camid)
    if names:
        assert found.name is not None
        assert found.name.tolist() == paths


@pytest.mark.parametrize("side", ["query", "gallery"])
@pytest.mark.parametrize("layout", [TORCHREID, BASELINE, DEEP_SORT])
def test_files_of_both_sides(tmp_path: Path, side: SideName, layout: dict) -> None:
    cameras, names = layout is not DEEP_SORT, layout is TORCHREID
    np.savez(tmp_path / "a.npz", **layout)
    check(read_side(tmp_path / "a.npz", side), side, cameras=cameras, names=names)
    scipy.io.savemat(tmp_path / "a.mat", layout)  # labels become [1, N]
    check(read_side(tmp_path / "a.mat", side), side, cameras=cameras, names=names)
    torch.save(layout, tmp_path / "arrays.pt")
    check(read_side(tmp_path / "arrays.pt", side), side, cameras=cameras, names=names)
    tensors = {name: torch.from_numpy(value) if isinstance(value, np.ndarray) else value for name, value in layout.items()}
    torch.save(tensors, tmp_path / "tensors.pth")
    check(read_side(tmp_path / "tensors.pth", side), side, cameras=cameras, names=names)


@pytest.mark.parametrize("layout", ONE_SIDE)
def test_files_of_one_side(tmp_path: Path, layout: dict) -> None:
    np.savez(tmp_path / "a.npz", **layout)
    check(read_side(tmp_path / "a.npz", "gallery"), "gallery", names=len(layout) == 4)
    lists = {
        name: [torch.from_numpy(row) for row in value] if value is GALLERY else list(map(int, value)) if isinstance(value, np.ndarray) else value
        for name, value in layout.items()
    }
    torch.save(lists, tmp_path / "a.pt")
    check(read_side(tmp_path / "a.pt", "query"), "gallery", names=len(layout) == 4)
    columns = {name: pa.array(list(value)) for name, value in layout.items()}
    pq.write_table(pa.table(columns), tmp_path / "a.parquet")
    check(read_side(tmp_path / "a.parquet", "gallery"), "gallery", names=len(layout) == 4)


def test_types_of_numbers(tmp_path: Path) -> None:
    torch.save({"feature": torch.from_numpy(GALLERY).bfloat16(), "ids": [str(pid) for pid in G_PID], "cam": G_CAM.astype(np.float32)}, tmp_path / "a.pt")
    found = read_side(tmp_path / "a.pt", "gallery")
    np.testing.assert_allclose(found.vectors, GALLERY, rtol=0.01)
    assert (found.pid is not None, found.camid is not None) == (True, True)
    np.testing.assert_array_equal(np.stack([found.pid, found.camid]), [G_PID, G_CAM])
    pq.write_table(
        pa.table({"embedding": pa.array(GALLERY.astype(np.float64).tolist(), pa.large_list(pa.float64())), "pid": G_PID.astype(np.int8)}),
        tmp_path / "a.parquet",
    )
    check(read_side(tmp_path / "a.parquet", "gallery"), "gallery", cameras=False)


@pytest.mark.parametrize("kind", ["bfloat16", "grad", "mixed", "arrays"])
def test_lists_of_descriptors(tmp_path: Path, kind: str) -> None:
    make = {
        "bfloat16": lambda row: torch.from_numpy(row).bfloat16(),
        "grad": lambda row: torch.from_numpy(row).requires_grad_(),
        "mixed": lambda row: torch.from_numpy(row) if row[0] > 0 else list(map(float, row)),
        "arrays": np.array,
    }[kind]
    other = [torch.ones(2), torch.ones(3)]  # of different lengths, and nobody's business
    torch.save({"feats": [make(row) for row in GALLERY], "pids": G_PID, "logits": other, "sizes": [[1], [1, 2]]}, tmp_path / "a.pt")
    found = read_side(tmp_path / "a.pt", "gallery")
    np.testing.assert_allclose(found.vectors, GALLERY, rtol=0.01 if kind == "bfloat16" else 1e-7)


def test_a_gallery_of_ours(tmp_path: Path) -> None:
    append_gallery(tmp_path / "g.parquet", [GalleryRows(G_PATHS, list("abcde"), GALLERY, pid=G_PID, camid=[3, 2, 1, 1, None])], **MODEL)
    found = read_side(tmp_path / "g.parquet", "gallery")
    assert found.model_id == MODEL["model_id"]
    assert found.sha256 is not None
    assert found.sha256.tolist() == list("abcde")
    assert found.camid is not None
    assert found.camid.tolist() == [3, 2, 1, 1, -1]


@pytest.mark.parametrize(
    ("vectors", "pids", "camids"),
    [
        ("gf.npy", "g_pids.npy", "g_camids.npy"),
        ("gallery_features.npy", "gallery_pids.npy", "gallery_camids.npy"),
        ("gallery_features.npy", "gallery_labels.npy", "gallery_cams.npy"),
        ("reference_embeddings.npy", "reference_pids.npy", "reference_camids.npy"),
        ("features.npy", "pids.npy", "camids.npy"),
    ],
)
def test_arrays_beside_an_array(tmp_path: Path, vectors: str, pids: str, camids: str) -> None:
    np.save(tmp_path / vectors, GALLERY)
    np.save(tmp_path / pids, G_PID)
    np.save(tmp_path / camids, G_CAM)
    check(read_side(tmp_path / vectors, "gallery"), "gallery")
    torch.save(torch.from_numpy(GALLERY), tmp_path / vectors.replace(".npy", ".pt"))
    check(read_side(tmp_path / vectors.replace(".npy", ".pt"), "gallery"), "gallery")


def test_a_csv_beside_an_array_or_given(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", GALLERY)
    lines = ["image_id,pid,camid", *(f"{name},{pid},{camid}" for name, pid, camid in zip(G_PATHS, G_PID, G_CAM, strict=True))]
    (tmp_path / "x.csv").write_text("\n".join(lines))
    check(read_side(tmp_path / "x.npy", "gallery"), "gallery", names=True)
    (tmp_path / "x.csv").rename(tmp_path / "labels.csv")
    check(read_side(tmp_path / "x.npy", "gallery", tmp_path / "labels.csv"), "gallery", names=True)
    (tmp_path / "labels.csv").write_text("\n".join([lines[0], *lines[:0:-1]]))  # another order
    np.savez(tmp_path / "named.npz", features=GALLERY, paths=G_PATHS, pids=np.zeros(5))
    check(read_side(tmp_path / "named.npz", "gallery", tmp_path / "labels.csv"), "gallery")  # looked up by name, before the file's own
    (tmp_path / "labels.csv").write_text("\n".join(line.rpartition(",")[0] for line in lines))  # no cameras: the file's own stay
    np.savez(tmp_path / "named.npz", features=GALLERY, paths=G_PATHS, pids=np.zeros(5), camids=G_CAM)
    check(read_side(tmp_path / "named.npz", "gallery", tmp_path / "labels.csv"), "gallery")
    np.save(tmp_path / "ids.npy", G_PID)
    check(read_side(tmp_path / "x.npy", "gallery", tmp_path / "ids.npy"), "gallery", cameras=False)


def test_names_tell_identities(tmp_path: Path) -> None:
    names = ["gt/0002_c1s1_000451_03.jpg", "-1_c3s3_000001_00.jpg", "0005_c2_f0046985.jpg", r"C:\data\0000_c6s1_000001_00.jpg", "0776_c012_00081440_0.jpg"]
    (tmp_path / "x.txt").write_text("\n".join(names) + "\n")
    np.save(tmp_path / "x.npy", GALLERY)
    np.savez(tmp_path / "y.npz", feats=GALLERY, paths=names)
    for found in (read_side(tmp_path / "x.npy", "gallery"), read_side(tmp_path / "y.npz", "gallery")):
        assert found.pid is not None
        assert found.camid is not None
        assert found.pid.tolist() == [2, -1, 5, 0, 776]
        assert found.camid.tolist() == [1, 3, 2, 6, 12]


@pytest.mark.parametrize("name", ["l.csv", "L.CSV", "l.txt", "L.TXT"])
def test_labels_as_spreadsheets_and_editors_save_them(tmp_path: Path, name: str) -> None:
    """A byte order mark at the start, the ending in capitals."""
    lines = [f"{pid:04d}_c{cam}.jpg" for pid, cam in zip([2, 4, 7, 0, 9], G_CAM, strict=True)]
    rows = ["pid,camid", *(f"{int(line[:4])},{line[6]}" for line in lines)]
    (tmp_path / name).write_text("\r\n".join(rows if name.lower() == "l.csv" else lines), encoding="utf-8-sig")
    np.save(tmp_path / "x.npy", GALLERY)
    found = read_side(tmp_path / "x.npy", "gallery", tmp_path / name)
    assert found.pid is not None
    assert found.camid is not None
    assert (found.pid.tolist(), found.camid.tolist()) == ([2, 4, 7, 0, 9], G_CAM.tolist())


class Evil:
    """What a file must not be able to do."""

    def __reduce__(self) -> tuple:
        return Path.touch, (Path("evil"),)


def test_nothing_in_a_file_is_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save({"qf": QUERY, "q_pids": Q_PID, "x": Evil()}, "a.pt")
    np.save("a.npy", np.array([Evil()], object), allow_pickle=True)
    np.savez("a.npz", features=np.array([Evil()], object))
    Path("b.pt").write_bytes(pickle.dumps({"qf": Evil()}))
    Path("b.npy").write_bytes(pickle.dumps(Evil()))
    for name in ("a.pt", "b.pt", "a.npy", "b.npy", "a.npz"):
        with pytest.raises(InputError, match=f"^{name}: cannot be read as ") as caught:
            read_side(Path(name), "query")
        assert "\n" not in str(caught.value)
        assert not Path("evil").exists()


def parquet(path: Path, **columns: list) -> None:
    pq.write_table(pa.table(columns), path)


@pytest.mark.parametrize(
    ("name", "make", "message"),
    [
        ("none.npz", lambda _: None, "no such file"),
        ("a.json", lambda path: path.write_text("{}"), "descriptors are read from files that end in .parquet, .npy"),
        ("a.npy", lambda path: path.write_text("text"), "cannot be read as .npy"),
        ("a.npz", lambda path: path.write_text("text"), "cannot be read as .npz"),
        ("a.npz", lambda path: (np.savez(path, features=GALLERY), path.write_bytes(path.read_bytes()[:-30])), "cannot be read as .npz"),
        ("a.npz", lambda path: (np.save(path.with_suffix(".npy"), GALLERY), path.with_suffix(".npy").rename(path)), "cannot be read as .npz .it is one array"),
        ("a.npz", lambda path: zipfile.ZipFile(path, "w").writestr("features", b"text"), "cannot be read as .npz"),
        ("a.pt", lambda path: torch.save({"feats": [torch.ones(2), torch.ones(3)], "pids": G_PID}, path), "has no gallery descriptors under a known name"),
        ("a.mat", lambda path: path.write_text("text"), "cannot be read as .mat up to version 7"),
        ("a.pt", lambda path: path.write_text("text"), "cannot be read as a torch file"),
        ("a.pt", lambda path: torch.save(3, path), "holds a int, neither a tensor nor a dictionary"),
        ("a.parquet", lambda path: path.write_text("text"), "cannot be read as Parquet"),
        ("a.npz", lambda path: np.savez(path, things=GALLERY, x=1), "has no gallery descriptors under a known name; it holds things, x"),
        ("a.npz", lambda path: np.savez(path, qf=QUERY, q_pids=Q_PID), "has no gallery descriptors under a known name; it holds q_pids, qf"),
        ("a.npz", lambda path: np.savez(path, features=G_PID, pids=G_PID), r"descriptors are int64 of shape \(5,\), not float"),
        ("a.npz", lambda path: np.savez(path, features=GALLERY), "has no identities, and no names that tell them; give labels"),
        ("a.npz", lambda path: np.savez(path, features=GALLERY, paths=G_PATHS), "row 0: has no identities, and 'g/0.jpg' does not start like 0001_c1"),
        ("a.npz", lambda path: np.savez(path, features=GALLERY[:1], paths=["4294967298_c1.jpg"]), "row 0: pid is '4294967298', not an integer of 32 bits"),
        ("a.npz", lambda path: np.savez(path, features=GALLERY, pids=list("abcde")), "row 0: pid is 'a', not an integer"),
        ("a.npz", lambda path: np.savez(path, features=GALLERY, pids=G_PID + 0.5), "row 0: pid is '2.5', not an integer"),
        ("a.npz", lambda path: np.savez(path, features=GALLERY, pids=G_PID + 2**40), "row 0: pid is '1099511627778', not an integer"),
        ("a.npz", lambda path: np.savez(path, features=GALLERY, pids=G_PID, camids=Q_CAM), r"5 descriptors, but camid of shape \(3,\)"),
        ("a.parquet", lambda path: parquet(path, x=[1.0], pid=[1]), "has no column of vectors called descriptor, .*; columns are x, pid"),
        ("a.parquet", lambda path: parquet(path, feature=[[1.0], [1.0, 2.0]], pid=[1, 2]), "the vectors of feature have missing values or different lengths"),
        ("a.parquet", lambda path: parquet(path, feature=[[1.0], None], pid=[1, 2]), "the vectors of feature have missing values or different lengths"),
        ("a.parquet", lambda path: parquet(path, feature=[[1.0], [None]], pid=[1, 2]), "the vectors of feature have missing values or different lengths"),
        ("a.parquet", lambda path: parquet(path, feature=[[1.0], [2.0]], pid=[1, None]), "row 1: pid is 'None', not an integer"),
        ("a.parquet", lambda path: parquet(path, feature=[[1.0]], split=["query"]), "has no gallery images"),
        ("a.parquet", lambda path: pq.write_table(pa.table({"feature": [[1.0]]}).replace_schema_metadata({"qafm": "{}"}), path), "its header is b'{}'"),
    ],
)
def test_bad_files_are_told_in_one_line(tmp_path: Path, name: str, make, message: str) -> None:
    make(tmp_path / name)
    with pytest.raises(InputError, match=f"^{tmp_path / name}: {message}") as caught:
        read_side(tmp_path / name, "gallery")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("l.csv", "pid\n1\n2\n", "{labels}: has labels of 2 images, {file} has 5 descriptors"),
        ("l.csv", "camid\n1\n", "{labels}: has no column pid; columns are camid"),
        ("l.csv", "pid\n", "{labels}: has no rows"),
        ("l.csv", "pid,camid\n1,1\n1,1\n,1\n1,1\n1,1\n", "{labels}: row 2: pid is '', not an integer"),
        ("l.csv", "image_id,pid\ng/0.jpg,1\n", "{file}: g/1.jpg has no row in {labels}"),
        ("l.csv", "image_id,pid\ng/0.jpg,1\ng/1.jpg,1\ng/0.jpg,2\n", "{labels}: names g/0.jpg more than once"),
        ("l.txt", "0001_c1.jpg\n", "{labels}: has labels of 1 images, {file} has 5 descriptors"),
        ("none.csv", None, "{labels}: cannot be read as CSV"),
        ("none.txt", None, "{labels}: cannot be read as text"),
    ],
)
def test_bad_labels_are_told_in_one_line(tmp_path: Path, name: str, text: str | None, message: str) -> None:
    labels, file = tmp_path / name, tmp_path / "a.npz"
    if text is not None:
        labels.write_text(text)
    np.savez(file, features=GALLERY, paths=G_PATHS)
    with pytest.raises(InputError, match="^" + message.format(labels=labels, file=file)) as caught:
        read_side(file, "gallery", labels)
    assert "\n" not in str(caught.value)
