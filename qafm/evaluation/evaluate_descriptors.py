"""One artifact per system whose descriptors are compared as they are: the Bag-of-Tricks baseline, the companion systems."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from qafm.config.choices import SameCamera
from qafm.errors import InputError
from qafm.evaluation.fuse import unit_rows
from qafm.evaluation.load_descriptors import Descriptors, DescriptorSide, load_descriptors
from qafm.evaluation.ranking import dot_similarity, evaluate_retrieval
from qafm.evaluation.retrieval_artifact import galleries_of, gallery_content, write_artifact


def evaluate_descriptors(
    experiment: str, images: Path, descriptors: Sequence[Path], *, same_camera: SameCamera, ranks: tuple[int, ...], note: str, out: Path
) -> None:
    """Evaluate descriptors on the standard gallery, and without its distractors where there are any.

    Args:
        experiment: the row's name.
        images: images.parquet of the data set.
        descriptors: one descriptors.parquet; of several, which must hold the same images, the descriptors are concatenated, each L2-normalised before.
        same_camera: "drop", or "keep" for data without cameras.
        ranks: ranks of the CMC.
        note: what the reader of the table must know of the row.
        out: the JSON artifact, as `evaluate_alpha` writes it.

    Raises:
        InputError: a bad file, files of different images, or no query with a valid match.
    """
    loaded = [load_descriptors(images, path) for path in descriptors]
    query, gallery = (_concatenated(loaded, descriptors, side) for side in ("query", "gallery"))
    contents = {}
    for name, side in galleries_of(gallery).items():
        found = evaluate_retrieval(query.labels, side.labels, dot_similarity(query.descriptor, side.descriptor), same_camera=same_camera)
        contents[name] = gallery_content([found], ranks)
    write_artifact(out, experiment, same_camera, note, contents)


def _concatenated(loaded: Sequence[Descriptors], paths: Sequence[Path], name: str) -> DescriptorSide:
    sides: list[DescriptorSide] = [getattr(descriptors, name) for descriptors in loaded]
    first = sides[0]
    for side, path in zip(sides, paths, strict=True):
        if not np.array_equal(side.labels.image_id, first.labels.image_id):
            raise InputError(f"{path}: holds other {name} images than {paths[0]}")
    return DescriptorSide(first.labels, first.distractor, unit_rows(np.concatenate([side.descriptor for side in sides], axis=1)))
