"""The data of the ranking browser: every query with its first ranks, as one compact JSON text."""

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tqdm import tqdm

from qafm.config.report import ReportConfig
from qafm.errors import InputError
from qafm.reporting.thumbnails import linked_url, thumbnail_url
from qafm.tables.images import IMAGES_SCHEMA
from qafm.tables.parquet import read_parquet
from qafm.tables.ranking import RANKING_SCHEMA

IMAGE_COLUMNS = ("pid", "camid", "q", "weight")
OF_QUERY = ("image_id", "pid", "camid", "q", "visual_weight")
OF_GALLERY = ("gallery_id", "gallery_pid", "gallery_camid", "gallery_q", "gallery_weight")
Content = dict[str, Any]


def browser_content(ranking: Path, images: Path, config: ReportConfig, folder: Path) -> Content:
    """What the ranking browser shows.

    Args:
        ranking: ranking.parquet.
        images: images.parquet; its paths are opened, or linked to.
        config: ranks per query, and up to how many images thumbnails are embedded.
        folder: of the page, which links are relative to.

    Returns:
        embedded: whether the pictures lie within the page. prefix: what all `images.src` begin with. images: a column each of id, src, pid, camid, q,
        weight (visual), distractor (0 or 1). queries: a column each of image (index into images), n_relevant, ap, first_rank, gallery (indices), right
        (a string of 0 and 1), distance. Unknown values are None.

    Raises:
        InputError: a table or an image cannot be read, an image is not in images.parquet, or has two values of one column.
    """
    rows = read_parquet(ranking, RANKING_SCHEMA).to_pylist()
    if not rows:
        raise InputError(f"{ranking}: has no query")
    shown = _shown_images(ranking, rows, config.ranks)
    ids = list(shown)
    paths, distractors = _located(images, ranking, ids)
    embedded = len(ids) <= config.embed_images_up_to
    if embedded:
        urls = [thumbnail_url(path, config.thumbnail_px) for path in tqdm(paths, desc="thumbnails", unit="image", disable=None)]
    else:
        urls = [linked_url(path, folder) for path in paths]
    prefix = _common_start(urls)
    columns: Content = {"id": ids, "src": [url[len(prefix) :] for url in urls], "distractor": distractors}
    columns |= dict(zip(IMAGE_COLUMNS, map(list, zip(*shown.values(), strict=True)), strict=True))
    index = {image_id: i for i, image_id in enumerate(ids)}
    return {"embedded": embedded, "prefix": prefix, "images": columns, "queries": _queries(rows, index, config.ranks)}


def _shown_images(ranking: Path, rows: Sequence[Content], ranks: int) -> dict[str, tuple[Any, ...]]:
    """image_id -> `IMAGE_COLUMNS` of every image among the queries and their first ranks, queries first."""
    records = [tuple(row[name] for name in OF_QUERY) for row in rows]
    for row in rows:
        records += list(zip(*(row[name][:ranks] for name in OF_GALLERY), strict=True))
    found: dict[str, tuple[Any, ...]] = {}
    for image_id, pid, camid, q, weight in records:
        values = pid, camid, *_rounded((q, weight), 9)
        if found.setdefault(image_id, values) != values:
            raise InputError(f"{ranking}: {image_id} has two different values of pid, camera, Q or weight")
    return found


def _common_start(texts: Sequence[str]) -> str:
    """The longest text all of `texts` begin with."""
    first, last = min(texts), max(texts)
    same = next((i for i, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), min(len(first), len(last)))
    return first[:same]


def _located(images: Path, ranking: Path, ids: Sequence[str]) -> tuple[list[Path], list[int]]:
    """Path of every image, and whether it is a distractor."""
    table = read_parquet(images, IMAGES_SCHEMA, columns=["image_id", "path", "distractor"])
    known = dict(zip(table["image_id"].to_pylist(), zip(table["path"].to_pylist(), table["distractor"].to_pylist(), strict=True), strict=True))
    missing = [image_id for image_id in ids if image_id not in known]
    if missing:
        raise InputError(f"{images}: has no image {missing[0]}, which {ranking} names ({len(missing)} missing)")
    return [Path(known[image_id][0]) for image_id in ids], [int(known[image_id][1]) for image_id in ids]


def _queries(rows: Sequence[Content], index: dict[str, int], ranks: int) -> Content:
    return {
        "image": [index[row["image_id"]] for row in rows],
        "n_relevant": [row["n_relevant"] for row in rows],
        "ap": _rounded([row["ap"] for row in rows], 9),  # their mean is shown with two decimals of a percent
        "first_rank": [row["first_rank"] for row in rows],
        "gallery": [[index[name] for name in row["gallery_id"][:ranks]] for row in rows],
        "right": ["".join("1" if right else "0" for right in row["right"][:ranks]) for row in rows],
        "distance": [_rounded(row["distance"][:ranks], 7) for row in rows],
    }


def _rounded(values: Sequence[float | None], digits: int) -> list[float | None]:
    return [round(float(value), digits) if value is not None and math.isfinite(value) else None for value in values]


def script_json(content: Content) -> str:
    """`content` as JSON that may stand within a <script> element: no text in it can end the element or begin a tag."""
    text = json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text
