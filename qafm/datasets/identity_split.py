"""A random split of identities into train and test, and of test images into query and gallery."""

from collections import defaultdict
from dataclasses import replace
from itertools import chain
from typing import Literal

from qafm.datasets.entry import Entry
from qafm.datasets.folds import draw, hash_order


def split_identities(entries: list[Entry], train_ids: int | Literal["all"] | None, split: int, queries_per_camera: int) -> list[Entry]:
    """Draw the train identities, and the query images of the others.

    A row of images.parquet has one split, so an image cannot be query and gallery at once. As in Market-1501 each test identity gives
    `queries_per_camera` images of every camera as queries, and the rest is gallery; each camera is then searched in the others, and
    the evaluator's rule removes gallery images of the query's own camera. Every camera of an identity keeps at least one gallery image;
    an identity with one image per camera gives the image of its first camera.

    Args:
        entries: images of all identities, each split being replaced.
        train_ids: how many identities to train on; None for half of them, 0 for none, "all" for all of them.
        split: number of the draw.
        queries_per_camera: query images per test identity and camera.

    Returns:
        The same images in the same order, with split train, query or gallery.

    Raises:
        ValueError: there are not so many.
    """
    identities = {entry.identity for entry in entries}
    n = len(identities) // 2 if train_ids is None else len(identities) if train_ids == "all" else train_ids
    if n > len(identities):
        raise ValueError(f"{n} train identities of {len(identities)} in all")
    train = draw(identities, n, f"split {split}")
    queries = _draw_queries([entry for entry in entries if entry.identity not in train], split, queries_per_camera)
    return [replace(entry, split="train" if entry.identity in train else "query" if entry.image_id in queries else "gallery") for entry in entries]


def _draw_queries(entries: list[Entry], split: int, queries_per_camera: int) -> set[str]:
    """The image_ids that become queries."""
    images: dict[str, dict[int, list[str]]] = defaultdict(lambda: defaultdict(list))
    for entry in entries:
        images[entry.identity][entry.camid or 0].append(entry.image_id)
    queries: set[str] = set()
    for cameras in images.values():
        drawn = [hash_order(group, f"query {split}")[: min(queries_per_camera, len(group) - 1)] for group in cameras.values()]
        if not any(drawn) and len(cameras) > 1:
            drawn = [cameras[min(cameras)]]
        queries.update(chain.from_iterable(drawn))
    return queries
