"""Stage 1 for the embedded data set: draw synthetic pedestrians into Market-1501's file layout."""

import csv
import hashlib
import shutil
from pathlib import Path

import cv2
import numpy as np
from tqdm import tqdm

from qafm.config.synthetic import SyntheticConfig
from qafm.datasets.synthetic.identities import draw_identity
from qafm.datasets.synthetic.light import camera_light
from qafm.datasets.synthetic.market_files import ATTRIBUTE_FILE, MASKS, PERSON_MASKS, image_path, mask_path, write_attributes
from qafm.datasets.synthetic.plan import GALLERY, QUERY, TRAIN, Plan, Shot, draw_plan
from qafm.datasets.synthetic.scene import build_scene
from qafm.datasets.synthetic.shot import Picture, draw_shot
from qafm.runtime.files import whole_file
from qafm.tables.attributes import ATTRIBUTE_NAMES

FACTORS = ("person", "fragment", "viewpoint", "light", "box_right", "box_down", "box_size", "person_share", "degradation", "level")
MANIFEST_COLUMNS = ("path", "sha256", "pid", "camid", "sequence", "frame", *FACTORS, *ATTRIBUTE_NAMES)


def generate_synthetic(config: SyntheticConfig, raw: Path, manifest: Path) -> None:
    """Draw the data set. Same config, same bytes; a killed run leaves an older `raw` as it was.

    Args:
        config: sizes, difficulty and the seed.
        raw: folder to make or replace: images, market_attribute.mat and masks (`masks/person`: 8-bit PNG of the person at full resolution).
        manifest: CSV with one row per image and its true factors; attribute codes are 0-based, empty where a garment has several colours.
            It is removed first and written last, so that it exists only beside the `raw` it tells of.
    """
    plan = draw_plan(config)
    partial, old = raw.with_name(f".{raw.name}.partial"), raw.with_name(f".{raw.name}.old")
    _discard(partial)
    for kind in ("", f"{MASKS}/", f"{PERSON_MASKS}/"):
        for folder in (TRAIN, QUERY, GALLERY):
            (partial / f"{kind}{folder}").mkdir(parents=True)
    rows = _draw_images(plan, config, partial)
    write_attributes(partial / ATTRIBUTE_FILE, plan.train, plan.test)
    manifest.unlink(missing_ok=True)
    _discard(old)
    if raw.exists():
        raw.rename(old)
    partial.rename(raw)
    _discard(old)
    _write_manifest(manifest, rows)


def _draw_images(plan: Plan, config: SyntheticConfig, root: Path) -> list[dict[str, object]]:
    people = {name: draw_identity(name, vector, config) for name, vector in plan.people.items()}
    cameras = range(1, config.cameras + 1)
    scenes, lights = {c: build_scene(c, config.seed) for c in cameras}, {c: camera_light(c, config.seed, config.light) for c in cameras}
    rows = []
    for shot in tqdm(plan.shots, desc="synthetic images", unit="image", disable=None):
        picture = draw_shot(shot, people[shot.person], scenes[shot.camera], lights[shot.camera], config)
        digest = _write_picture(picture, shot, root, config.jpeg_quality)
        rows.append(_row(shot, picture, digest, plan.people[shot.person]))
    return rows


def _write_picture(picture: Picture, shot: Shot, root: Path, quality: int) -> str:
    """Write image and masks; return the image's SHA-256."""
    encoded = cv2.imencode(".jpg", picture.image[..., ::-1], (cv2.IMWRITE_JPEG_QUALITY, quality))[1].tobytes()
    (root / image_path(shot.folder, shot.stem)).write_bytes(encoded)
    np.save(root / mask_path(MASKS, shot.folder, shot.stem, ".npy"), picture.fields, allow_pickle=False)
    (root / mask_path(PERSON_MASKS, shot.folder, shot.stem, ".png")).write_bytes(cv2.imencode(".png", picture.person)[1].tobytes())
    return hashlib.sha256(encoded).hexdigest()


def _row(shot: Shot, picture: Picture, digest: str, vector: np.ndarray) -> dict[str, object]:
    right, down, size = (round(value, 4) for value in picture.box)
    values: dict[str, object] = {
        "path": image_path(shot.folder, shot.stem),
        "sha256": digest,
        "pid": shot.pid,
        "camid": shot.camera,
        "sequence": shot.sequence,
        "frame": shot.frame,
        "person": shot.person,
        "fragment": int(shot.fragment),
        "viewpoint": round(picture.viewpoint, 1),
        "light": round(picture.light, 4),
        "box_right": right,
        "box_down": down,
        "box_size": size,
        "person_share": round(float(picture.person.mean()) / 255, 4),
        "degradation": shot.degradation,
        "level": shot.level,
    }
    return values | {name: "" if code < 0 else int(code) for name, code in zip(ATTRIBUTE_NAMES, vector, strict=True)}


def _write_manifest(path: Path, rows: list[dict[str, object]]) -> None:
    with whole_file(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, MANIFEST_COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def _discard(folder: Path) -> None:
    """Remove what an earlier, killed run left."""
    if folder.exists():
        shutil.rmtree(folder)
