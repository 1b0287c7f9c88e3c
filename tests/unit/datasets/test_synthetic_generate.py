"""The generated files: layout, bytes, masks, manifest, and that nothing half-written is left behind."""

import csv
import hashlib
import re
from pathlib import Path

import cv2
import numpy as np
import pytest
import scipy.io

from qafm.config.synthetic import SyntheticConfig
from qafm.datasets import generate_synthetic as module
from qafm.datasets.generate_synthetic import generate_synthetic
from qafm.datasets.synthetic.light import camera_light
from qafm.datasets.synthetic.market_files import TEST_ORDER, TRAIN_ORDER, write_attributes
from qafm.datasets.synthetic.scene import build_scene
from qafm.tables.attributes import ATTRIBUTE_NAMES

TINY = SyntheticConfig(train_ids=5, test_ids=4, cameras=3, distractors=4, junk=2, height=64, width=32)
MARKET_NAME = re.compile(r"^(-1|\d{4})_c([1-6])s(\d)_(\d{6})_(\d{2})\.jpg$")


def tree(root: Path) -> dict[str, str]:
    return {path.relative_to(root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(root.rglob("*")) if path.is_file()}


def read_manifest(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as stream:
        return list(csv.DictReader(stream))


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("tiny")
    generate_synthetic(TINY, root / "raw", root / "manifest.csv")
    return root


def test_layout_and_manifest_agree(generated: Path) -> None:
    rows = read_manifest(generated / "manifest.csv")
    images = sorted(path.relative_to(generated / "raw").as_posix() for path in (generated / "raw").glob("*/*.jpg"))
    assert sorted(row["path"] for row in rows) == images
    assert sorted(path.name for path in (generated / "raw").iterdir()) == ["bounding_box_test", "bounding_box_train", "market_attribute.mat", "masks", "query"]
    for row in rows:
        name = MARKET_NAME.match(Path(row["path"]).name)
        assert name
        assert (int(name[1]), int(name[2]), int(name[3]), int(name[4])) == (int(row["pid"]), int(row["camid"]), int(row["sequence"]), int(row["frame"]))
        assert hashlib.sha256((generated / "raw" / row["path"]).read_bytes()).hexdigest() == row["sha256"]
        assert 0 <= float(row["viewpoint"]) < 360
        assert (float(row["level"]) > 0) == (row["degradation"] != "none")
        assert cv2.imread(str(generated / "raw" / row["path"])).shape == (64, 32, 3)


def test_masks_of_every_image(generated: Path) -> None:
    for row in read_manifest(generated / "manifest.csv"):
        stem = row["path"].removesuffix(".jpg")
        fields = np.load(generated / "raw/masks/pifpaf_maskrcnn_filtering" / f"{stem}.npy", allow_pickle=False)
        person = cv2.imread(str(generated / "raw/masks/person" / f"{stem}.png"), cv2.IMREAD_UNCHANGED)
        assert fields.shape == (36, 9, 5)
        assert np.isfinite(fields).all()
        assert 0 <= fields.min() <= fields.max() <= 1
        assert person.shape == (64, 32)
        assert person.mean() / 255 == pytest.approx(float(row["person_share"]), abs=1e-3)
        if row["fragment"] == "0" and row["degradation"] != "occlusion":
            assert 0.15 < float(row["person_share"]) < 0.7
            assert fields.max() > 0.5


def test_same_settings_same_bytes(generated: Path, tmp_path: Path) -> None:
    generate_synthetic(TINY, tmp_path / "raw", tmp_path / "manifest.csv")
    assert tree(tmp_path) == tree(generated)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("seed", 2),
        ("train_ids", 6),
        ("test_ids", 5),
        ("height", 80),
        ("width", 40),
        ("jpeg_quality", 60),
        ("shade_spread", 0.2),
        ("texture", 0.3),
        ("shape", 0.2),
        ("pose", 0.2),
        ("misalignment", 0.2),
        ("light", 0.2),
    ],
)
def test_every_setting_changes_the_images(generated: Path, tmp_path: Path, field: str, value: float) -> None:
    generate_synthetic(TINY.model_copy(update={field: value}), tmp_path / "raw", tmp_path / "manifest.csv")
    before, after = ({row["path"]: row["sha256"] for row in read_manifest(root / "manifest.csv")} for root in (generated, tmp_path))
    assert sum(before.get(path) != digest for path, digest in after.items()) > len(after) / 4 or len(after) != len(before)


def test_an_older_set_is_replaced_whole(generated: Path, tmp_path: Path) -> None:
    (tmp_path / "raw").mkdir()
    (tmp_path / "raw" / "left_over.jpg").write_bytes(b"old")
    (tmp_path / ".raw.partial").mkdir()  # of a killed run
    (tmp_path / ".raw.partial" / "half.jpg").write_bytes(b"half")
    generate_synthetic(TINY, tmp_path / "raw", tmp_path / "manifest.csv")
    assert tree(tmp_path) == tree(generated)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["manifest.csv", "raw"]


def test_a_killed_run_leaves_the_older_set(generated: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    generate_synthetic(TINY, tmp_path / "raw", tmp_path / "manifest.csv")
    real, drawn = module.draw_shot, []

    def dies(*args: object) -> object:
        drawn.append(1)
        if len(drawn) > 5:
            raise KeyboardInterrupt
        return real(*args)

    monkeypatch.setattr(module, "draw_shot", dies)
    with pytest.raises(KeyboardInterrupt):
        generate_synthetic(TINY.model_copy(update={"seed": 9}), tmp_path / "raw", tmp_path / "manifest.csv")
    assert {name: digest for name, digest in tree(tmp_path).items() if not name.startswith(".")} == tree(generated)


def test_attribute_file_has_markets_layout(generated: Path, shared: Path) -> None:
    ours = scipy.io.loadmat(generated / "raw" / "market_attribute.mat")["market_attribute"]
    theirs = scipy.io.loadmat(shared / "data" / "market1501" / "market_attribute.mat")["market_attribute"]
    assert (ours.shape, ours.dtype) == (theirs.shape, theirs.dtype)
    for split in ("test", "train"):
        one, other = ours[split][0, 0], theirs[split][0, 0]
        assert one.shape == other.shape
        assert one.dtype == other.dtype
        for name in other.dtype.names:
            assert one[name][0, 0].dtype == other[name][0, 0].dtype
            assert len(one[name][0, 0]) == 1
        assert one["image_index"][0, 0][0, 0].dtype == np.dtype("<U4")
        assert one["image_index"][0, 0][0, 0].shape == (1,)


def test_attribute_file_holds_what_was_drawn(tmp_path: Path) -> None:
    train = {2: np.array([1, 1, 1, 0, 0, 0, 1, 0, 0, 3, 2, 2], np.int8), 11: np.array([0, 0, 0, 1, 1, 1, 0, 1, 0, 1, -1, -1], np.int8)}
    test = {7: np.array([0, 0, 1, 1, 1, 0, 0, 0, 1, 0, 4, 8], np.int8)}
    write_attributes(tmp_path / "a.mat", train, test)
    write_attributes(tmp_path / "b.mat", train, test)
    assert (tmp_path / "a.mat").read_bytes() == (tmp_path / "b.mat").read_bytes()
    assert b"Created on" not in (tmp_path / "a.mat").read_bytes()
    root = scipy.io.loadmat(tmp_path / "a.mat", squeeze_me=True, struct_as_record=False)["market_attribute"]
    assert tuple(root.train._fieldnames) == TRAIN_ORDER
    assert tuple(root.test._fieldnames) == TEST_ORDER
    assert len(TRAIN_ORDER) == len(set(TRAIN_ORDER)) == 28
    assert sorted(TRAIN_ORDER) == sorted(TEST_ORDER)
    assert root.train.image_index.tolist() == ["0002", "0011"]
    assert root.train.gender.tolist() == [2, 1]
    assert root.train.age.tolist() == [4, 2]
    assert root.train.clothes.tolist() == [1, 2]
    assert root.train.upred.tolist() == [2, 1]
    assert root.train.downpink.tolist() == [2, 1]
    second = {name: getattr(root.train, name)[1] for name in TRAIN_ORDER if name.startswith(("up", "down")) and len(name) > 4}
    assert set(second.values()) == {1}  # several colours: none is flagged
    assert root.test.upyellow == root.test.downbrown == root.test.handbag == 2


def test_manifest_has_the_attributes_of_the_mat(generated: Path) -> None:
    root = scipy.io.loadmat(generated / "raw" / "market_attribute.mat", squeeze_me=True, struct_as_record=False)["market_attribute"]
    gender = {int(pid): code - 1 for side in (root.train, root.test) for pid, code in zip(side.image_index, side.gender, strict=True)}
    rows = [row for row in read_manifest(generated / "manifest.csv") if int(row["pid"]) > 0]
    assert all(int(row["gender"]) == gender[int(row["pid"])] for row in rows)
    assert {row["up_color"] for row in rows} <= {"", *map(str, range(8))}
    assert set(ATTRIBUTE_NAMES) <= set(rows[0])


def test_backgrounds_and_light_belong_to_the_camera() -> None:
    scenes = [build_scene(camera, 1) for camera in range(1, 7)]
    assert all(scene.shape == (420, 720, 3) for scene in scenes)
    assert len({scene.tobytes() for scene in scenes}) == 6
    assert np.array_equal(build_scene(3, 1), scenes[2])
    assert not np.array_equal(build_scene(3, 2), scenes[2])
    assert camera_light(1, 1, 1.0) != camera_light(2, 1, 1.0)
    assert camera_light(1, 1, 0.0).gain == camera_light(2, 1, 0.0).gain
