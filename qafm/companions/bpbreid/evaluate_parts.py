"""Companion c3: retrieval by parts, of whole people and of people seen in part, with and without visibility scores."""

from collections.abc import Mapping
from pathlib import Path

from qafm.companions.bpbreid.load_parts import load_parts
from qafm.companions.bpbreid.part_distance import VisibilityMode, part_similarity
from qafm.companions.bpbreid.views import View
from qafm.config.choices import SameCamera
from qafm.errors import InputError
from qafm.evaluation.ranking import evaluate_retrieval
from qafm.evaluation.retrieval_artifact import galleries_of, gallery_content, write_artifact


def evaluate_parts(
    images: Path,
    views: Mapping[View, Path],
    visibility: VisibilityMode,
    *,
    foreground: bool,
    same_camera: SameCamera,
    ranks: tuple[int, ...],
    outs: Mapping[tuple[View, View], Path],
) -> None:
    """Evaluate a system on every protocol, on the standard gallery and without its distractors where there are any.

    Args:
        images: images.parquet.
        views: the system's embeddings of each view.
        visibility: "none", "binary" or "continuous", see `part_similarity`.
        foreground: whether the first embedding is compared beside the others.
        same_camera: "drop", or "keep" for data without cameras.
        ranks: ranks of the CMC.
        outs: (view of the query, view of the gallery) -> JSON artifact, as `evaluate_alpha` writes it.

    Raises:
        InputError: a bad file, or no query with a valid match.
    """
    for (query_view, gallery_view), out in outs.items():
        query, gallery = load_parts(images, views[query_view], views[gallery_view], foreground=foreground)
        contents = {}
        for name, side in galleries_of(gallery).items():
            try:
                found = evaluate_retrieval(query.labels, side.labels, part_similarity(query, side, visibility), same_camera=same_camera)
            except InputError as error:
                raise InputError(f"{views[query_view]}: {error}") from error
            contents[name] = gallery_content([found], ranks)
        write_artifact(out, experiment_name(query_view, gallery_view, visibility), same_camera, "", contents)


def experiment_name(query: View, gallery: View, visibility: VisibilityMode) -> str:
    """What the artifact of a protocol is called."""
    return f"{query}-{gallery}-{visibility}"
