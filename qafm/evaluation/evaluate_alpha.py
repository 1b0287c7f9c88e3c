"""Stage 7, first half: one artifact per row of Table 4, from the embeddings alone."""

import logging
from pathlib import Path
from typing import Any

from qafm.config.ablation import AblationConfig
from qafm.config.choices import SameCamera
from qafm.errors import InputError
from qafm.evaluation.experiments import Trial, measure
from qafm.evaluation.fuse import ExportedHead
from qafm.evaluation.load_embeddings import load_embeddings
from qafm.evaluation.retrieval_artifact import galleries_of, gallery_content, write_artifact

LOGGER = logging.getLogger("qafm")


def evaluate_alpha(experiment: str, images: Path, embeddings: Path, head: Path, *, same_camera: SameCamera, config: AblationConfig, out: Path) -> None:
    """Evaluate one row of Table 4 (or of the table beside it) on the standard gallery, and without its distractors where there are any.

    Args:
        experiment: the row's name, see `experiments.measure`.
        images: images.parquet of the data set.
        embeddings: embeddings.parquet of the model.
        head: the model's exported fusion head, safetensors.
        same_camera: "drop", or "keep" for data without cameras.
        config: the ablation's settings.
        out: the JSON artifact: per gallery the metrics in percent, the visual weight, and the AP and first right rank of every valid query;
            no gallery if the row does not apply.

    Raises:
        InputError: unknown row, bad file, or no query with a valid match.
    """
    loaded = load_embeddings(images, embeddings)
    fusion_head = ExportedHead.load(head)
    contents: dict[str, dict[str, Any]] = {}
    note = ""
    for name, gallery in galleries_of(loaded.gallery).items():
        try:
            found = measure(experiment, Trial(fusion_head, loaded.query, gallery, loaded.holdout, same_camera, config))
        except InputError as error:
            raise InputError(f"{embeddings}: {error}") from error
        note = found.note
        if found.retrievals:
            contents[name] = gallery_content(found.retrievals, config.ranks, found.weight)
        else:
            LOGGER.warning("%s, gallery %s: %s", experiment, name, found.note)
    write_artifact(out, experiment, same_camera, note, contents)
