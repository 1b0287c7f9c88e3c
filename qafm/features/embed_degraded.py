"""Stage 6: some queries, as they are and degraded by a known amount: v_a, v_s, Q and the visual weight of each.

N queries, V variants with the original, Da and Ds lengths of v_a and v_s.
"""

from pathlib import Path

import numpy as np
import pyarrow as pa
from tqdm import tqdm

from qafm.config.degradations import DegradationsConfig
from qafm.config.fusion import FusedModelConfig
from qafm.config.runtime import RuntimeConfig
from qafm.datasets.degrade_image import degrade_image
from qafm.datasets.read_image import read_image
from qafm.datasets.synthetic.seeding import generator
from qafm.features.branch_vectors import branch_vectors
from qafm.features.embed_images import load_qafm, visual_weights
from qafm.features.new_images import QSource, q_of, resized
from qafm.images.image_set import select_rows
from qafm.runtime.torch_setup import place, prepare_torch
from qafm.tables.degraded import CLEAN, degraded_embeddings_schema
from qafm.tables.parquet import vector_array, write_parquet


def embed_degraded(
    images: Path,
    weights: Path,
    q_source: QSource | None,
    config: DegradationsConfig,
    model_config: FusedModelConfig,
    runtime: RuntimeConfig,
    out: Path,
) -> None:
    """Embed a random choice of the queries, clean and by every kind and level.

    Args:
        images: images.parquet.
        weights: the trained model.
        q_source: how Q of an image is computed; None where the run takes Q from a file: then Q is null, and the weight too unless it is fixed.
        config: how many queries, which kinds and levels.
        model_config: of the model.
        runtime: threads, device, precision.
        out: parquet to write (tables/degraded.py), sorted by kind and level as configured, clean first, then image_id.

    Raises:
        InputError: an input is damaged or does not fit, or there is no query.
    """
    device = prepare_torch(runtime)
    model = place(load_qafm(weights, model_config), device)
    extractor = None if q_source is None else q_source.load(device)
    names, pictures = _drawn_queries(images, config)
    tables = []
    for kind, level in [(CLEAN, 0.0), *((kind, level) for kind in config.kinds for level in config.levels)]:
        made = [
            picture if kind == CLEAN else degrade_image(picture, kind, level, f"{config.seed}/{name}") for name, picture in zip(names, pictures, strict=True)
        ]
        v_a, v_s = (vectors.cpu().numpy() for vectors in branch_vectors(model, resized(made, model_config.architecture.backbone), device, runtime))
        q = np.full(len(names), np.nan)
        if extractor is not None:
            progress = tqdm(zip(names, made, strict=True), total=len(names), desc=f"Q of {kind} {level:g}", unit="image", disable=None)
            q = np.array([q_of(picture, name, extractor, device, runtime) for name, picture in progress])
        w = np.full(len(q), np.nan) if np.isnan(q).all() and model_config.fixed_weight is None else visual_weights(model, q, model_config)
        tables.append(_to_table(names, kind, level, q, w, v_a, v_s))
    write_parquet(out, pa.concat_tables(tables))


def _drawn_queries(images: Path, config: DegradationsConfig) -> tuple[list[str], list[np.ndarray]]:
    """image_id and pixels of the drawn queries, sorted by image_id."""
    rows = select_rows(images, split="query")
    chosen = np.sort(generator(config.seed, "degraded queries").permutation(rows.num_rows)[: config.queries])
    drawn = rows.take(chosen)
    return drawn["image_id"].to_pylist(), [read_image(Path(path)) for path in drawn["path"].to_pylist()]


def _to_table(names: list[str], kind: str, level: float, q: np.ndarray, w: np.ndarray, v_a: np.ndarray, v_s: np.ndarray) -> pa.Table:
    vectors = [vector_array(v) for v in (v_a, v_s)]
    columns = [pa.array(names), pa.array([kind] * len(names)), pa.array([level] * len(names)), pa.array(q, from_pandas=True), pa.array(w, from_pandas=True)]
    return pa.table([*columns, *vectors], schema=degraded_embeddings_schema(v_a.shape[1], v_s.shape[1]))
