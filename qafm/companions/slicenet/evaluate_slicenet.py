"""What a row achieves: under the protocol that all systems of the project share, and under COL780's own ones."""

from pathlib import Path

from qafm.companions.slicenet.protocols import measure_protocols
from qafm.config.choices import SameCamera
from qafm.evaluation.evaluate_descriptors import evaluate_descriptors
from qafm.evaluation.load_descriptors import load_descriptors
from qafm.evaluation.ranking import dot_similarity
from qafm.evaluation.retrieval_artifact import rounded
from qafm.runtime.files import write_json


def evaluate_slicenet(
    row: str, images: Path, descriptors: Path, *, same_camera: SameCamera, ranks: tuple[int, ...], note: str, retrieval: Path, protocols: Path
) -> None:
    """Evaluate descriptors.

    Args:
        row: the row's name.
        images: images.parquet.
        descriptors: descriptors.parquet.
        same_camera: of the shared protocol, "drop" or "keep".
        ranks: ranks of the CMC of the shared protocol.
        note: what the reader of a table must know of the row.
        retrieval: JSON of the shared protocol, as `evaluate_descriptors` writes it.
        protocols: JSON: protocol -> metrics in percent and n_queries, null where it cannot be measured.

    Raises:
        InputError: a bad file, or no query with a valid match under the shared protocol.
    """
    evaluate_descriptors(row, images, [descriptors], same_camera=same_camera, ranks=ranks, note=note, out=retrieval)
    loaded = load_descriptors(images, descriptors)
    query, gallery = loaded.query, loaded.gallery
    found = measure_protocols(query.labels, gallery.labels, dot_similarity(query.descriptor, gallery.descriptor))
    content = {
        name: {key: value if isinstance(value, int) else rounded(value) for key, value in metrics.items()} if metrics else None
        for name, metrics in found.items()
    }
    write_json(protocols, {"row": row, "note": note, "protocols": content})
