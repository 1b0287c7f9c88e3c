"""QAFM's descriptors of people seen in part, picture by picture: the fused vector at the weight that the part's own Q gives."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import torch

from qafm.companions.bpbreid.embed_fused_views import embed_fused_views
from qafm.companions.bpbreid.views import VIEWS, take_view
from qafm.datasets.read_image import read_image
from qafm.features.new_images import QSource
from qafm.models.qafm import Qafm
from qafm.tables.parquet import read_parquet, write_parquet
from qafm.tables.quality import QUALITY_SCHEMA
from tests.made_up_qafm import MODEL, as_batch, make_q_source, make_qafm, slow_q
from tests.unit.companions.bpbreid.conftest import RUNTIME

KNOWN = 1.7  # Q of every whole image


@pytest.fixture
def model(images: Path) -> Qafm:
    """A model whose weight depends on Q, and quality.parquet beside its weights."""
    scores = [dict.fromkeys(QUALITY_SCHEMA.names, 0.0) | {"image_id": row["image_id"], "q": KNOWN} for row in read_parquet(images).to_pylist()]
    write_parquet(images.parent / "quality.parquet", pa.Table.from_pylist(scores, schema=QUALITY_SCHEMA))
    return make_qafm(images.parent)[0]


def embedded(images: Path, source: QSource | None) -> dict[str, dict[str, np.ndarray]]:
    """View -> image_id -> its one vector."""
    folder = images.parent
    outs = {view: folder / f"{view}.parquet" for view in VIEWS}
    embed_fused_views(images, folder / "quality.parquet", folder / "qafm.safetensors", source, MODEL, RUNTIME, "filled", outs)
    tables = {view: read_parquet(path).to_pylist() for view, path in outs.items()}
    assert all(row["visible"] == [1] and row["confidence"] == [1.0] for table in tables.values() for row in table)
    return {view: {row["image_id"]: np.array(row["vectors"]) for row in table} for view, table in tables.items()}


@torch.no_grad()
def test_every_picture_is_fused_at_its_own_weight(images: Path, model: Qafm) -> None:
    extractor, source = make_q_source(images.parent)
    found = embedded(images, source)
    rows = {row["image_id"]: row for row in read_parquet(images).to_pylist() if row["split"] != "train" and not row["junk"]}
    queries = {name for name, row in rows.items() if row["split"] == "query"}
    assert {view: set(vectors) for view, vectors in found.items()} == {"full": set(rows), "lower": set(rows), "upper": queries, "occluded": queries}
    weights = set()
    for view, vectors in found.items():
        for name, vector in vectors.items():
            picture = take_view(read_image(Path(rows[name]["path"])), view, name, "filled")
            q = KNOWN if view == "full" else slow_q(picture, name, extractor)
            assert model.weight_mlp is not None
            w = model.weight_mlp.weight(torch.tensor([q], dtype=torch.float32))
            batch = as_batch(picture)
            expected = model.head(model.visual(batch).v_a, model.attribute(batch).v_s, w).descriptor[0].numpy()
            np.testing.assert_allclose(vector, expected / np.linalg.norm(expected), atol=1e-4)
            weights.add(round(float(w), 6))
    assert len(weights) > 4


@torch.no_grad()
def test_without_an_extractor_a_part_has_the_weight_of_the_mean_q(images: Path, model: Qafm) -> None:
    found = embedded(images, None)
    row = next(row for row in read_parquet(images).to_pylist() if row["split"] == "query")
    assert model.weight_mlp is not None
    for view, q in (("full", KNOWN), ("upper", 1.0)):
        picture = take_view(read_image(Path(row["path"])), view, row["image_id"], "filled")  # type: ignore[arg-type]
        batch = as_batch(picture)
        expected = model.head(model.visual(batch).v_a, model.attribute(batch).v_s, model.weight_mlp.weight(torch.tensor([q]))).descriptor[0].numpy()
        np.testing.assert_allclose(found[view][row["image_id"]], expected / np.linalg.norm(expected), atol=1e-4)
