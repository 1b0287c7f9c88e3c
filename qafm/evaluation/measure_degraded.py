"""Stage 7: what the branches, QAFM and every fixed weight achieve on degraded queries; the gallery stays as it is."""

from pathlib import Path

import numpy as np
import pyarrow as pa

from qafm.config.ablation import AblationConfig
from qafm.config.choices import SameCamera
from qafm.errors import InputError
from qafm.evaluation.experiments import Measurement, Trial, measure
from qafm.evaluation.fuse import ExportedHead
from qafm.evaluation.join_labels import vector_column
from qafm.evaluation.load_embeddings import Side, load_embeddings
from qafm.tables.degraded import degraded_embeddings_schema, degraded_results_schema
from qafm.tables.parquet import check_schema, read_parquet, vector_array, write_parquet


def measure_degraded(images: Path, embeddings: Path, head: Path, degraded: Path, *, same_camera: SameCamera, grid: int, out: Path) -> None:
    """Search the standard gallery with every degraded query.

    Args:
        images: images.parquet.
        embeddings: embeddings.parquet of the model, for the gallery.
        head: the model's exported fusion head.
        degraded: what `embed_degraded` wrote.
        same_camera: "drop" or "keep".
        grid: number of fixed weights from 0 to 1.
        out: parquet to write (tables/degraded.py); queries without a right image are left out.

    Raises:
        InputError: a bad file, or a query that `embeddings` does not have.
    """
    loaded = load_embeddings(images, embeddings)
    table = read_parquet(degraded)
    query = _degraded_side(degraded, table, loaded.query)
    known = np.isfinite(query.weight)
    filled = Side(query.labels, query.distractor, np.where(known, query.weight, 0.5), query.v_a, query.v_s)
    config = AblationConfig(grid=grid)
    trial = Trial(ExportedHead.load(head), filled, loaded.gallery, None, same_camera, config)

    def ap(found: Measurement) -> np.ndarray:
        return found.retrievals[0].ap

    valid = np.isfinite(ap(apn := measure("apn_descriptor", trial)))
    columns = {name: table[name].filter(pa.array(valid)) for name in ("image_id", "degradation", "level", "q", "visual_weight")}
    columns |= {"pid": query.labels.pid[valid], "ap_apn": ap(apn)[valid], "ap_apan": ap(measure("apan_descriptor", trial))[valid]}
    columns["ap_qafm"] = pa.array(np.where(known, ap(measure("qafm", trial)), np.nan)[valid], from_pandas=True)
    fixed = np.stack([retrieval.ap[valid] for retrieval in trial.sweep()], axis=1)  # [N, grid]
    columns["ap_fixed"] = vector_array(fixed)
    write_parquet(out, pa.table(columns, schema=degraded_results_schema(grid)))


def _degraded_side(path: Path, table: pa.Table, clean: Side) -> Side:
    """The degraded queries with the labels of the clean ones."""
    v_a, v_s = vector_column(path, table, "v_a"), vector_column(path, table, "v_s")
    check_schema(path, table.schema, degraded_embeddings_schema(v_a.shape[1], v_s.shape[1]))
    row_of = {str(name): row for row, name in enumerate(clean.labels.image_id)}
    names = table["image_id"].to_pylist()
    unknown = next((name for name in names if name not in row_of), None)
    if unknown is not None:
        raise InputError(f"{path}: {unknown} is no query of the embeddings")
    rows = np.array([row_of[name] for name in names], np.int64)
    weight = table["visual_weight"].fill_null(float("nan")).to_numpy()
    return Side(clean.labels.take(rows), clean.distractor[rows], weight, v_a, v_s)
