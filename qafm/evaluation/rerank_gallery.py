"""Stage 7: rows that have one descriptor per image, ranked anew by k-reciprocal re-ranking."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from qafm.config.choices import SameCamera
from qafm.config.rerank import RerankConfig
from qafm.errors import InputError
from qafm.evaluation.fuse import ExportedHead, concat
from qafm.evaluation.load_embeddings import Side, load_embeddings
from qafm.evaluation.ranking import evaluate_retrieval
from qafm.evaluation.rerank import reciprocal_similarity
from qafm.evaluation.retrieval_artifact import galleries_of, gallery_content, write_artifact

# Row: L2-normalised descriptors of one side, float32 [N, D], and the visual weight in them, float [N]; None where no weight is used. As `experiments.measure`.
_DESCRIBED: dict[str, Callable[[ExportedHead, Side], tuple[np.ndarray, np.ndarray | None]]] = {
    "qafm": lambda head, side: (head.fused(side.v_a, side.v_s, side.weight), side.weight),
    "apn_descriptor": lambda head, side: (head.apn_descriptor(side.v_a), None),
    "apan_descriptor": lambda head, side: (head.apan_descriptor(side.v_s), None),
    "concat_0.5": lambda _, side: (concat(side.v_a, side.v_s, 0.5), np.full(len(side), 0.5)),
}


def rerank_gallery(
    experiment: str,
    images: Path,
    embeddings: Path,
    head: Path,
    *,
    same_camera: SameCamera,
    ranks: tuple[int, ...],
    config: RerankConfig,
    out: Path,
) -> None:
    """Evaluate one row after re-ranking, on the galleries of `evaluate_alpha`; each gallery has a neighbour graph of its own.

    Args:
        experiment: the row's name: qafm, apn_descriptor, apan_descriptor or concat_0.5.
        images: images.parquet of the data set.
        embeddings: embeddings.parquet of the model.
        head: the model's exported fusion head, safetensors.
        same_camera: "drop", or "keep" for data without cameras.
        ranks: ranks of the CMC.
        config: k1, k2 and lambda.
        out: the JSON artifact, as `evaluate_alpha` writes it.

    Raises:
        InputError: another row, a bad file, or no query with a valid match.
    """
    if experiment not in _DESCRIBED:
        raise InputError(f"experiment: {experiment!r} is not re-ranked, {', '.join(_DESCRIBED)} are")
    loaded, fusion_head, described = load_embeddings(images, embeddings), ExportedHead.load(head), _DESCRIBED[experiment]
    vectors, weight = described(fusion_head, loaded.query)
    contents = {}
    for name, gallery in galleries_of(loaded.gallery).items():
        try:
            similarity = reciprocal_similarity(vectors, described(fusion_head, gallery)[0], config)
            found = evaluate_retrieval(loaded.query.labels, gallery.labels, similarity, same_camera=same_camera)
        except InputError as error:
            raise InputError(f"{embeddings}: {error}") from error
        contents[name] = gallery_content([found], ranks, weight)
    write_artifact(out, experiment, same_camera, f"re-ranked: k1 {config.k1}, k2 {config.k2}, lambda {config.lambda_:g}", contents)
