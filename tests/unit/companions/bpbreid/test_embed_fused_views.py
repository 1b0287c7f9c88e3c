"""QAFM's descriptors of people seen in part, picture by picture: the fused vector at the weight that the part's own Q gives."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import torch

from qafm.companions.bpbreid.embed_fused_views import embed_fused_views
from qafm.companions.bpbreid.views import VIEWS, take_view
from qafm.config.backbone import BackboneConfig
from qafm.config.branches import ApanConfig, ApnConfig
from qafm.config.fusion import ArchitectureConfig, FusedModelConfig, HeadConfig
from qafm.config.perturb import PerturbConfig
from qafm.config.q_network import QNetwork
from qafm.config.quality import QualityConfig
from qafm.datasets.read_image import read_image
from qafm.features.new_images import QSource
from qafm.images.network_input import normalize, to_input
from qafm.models.qafm import Qafm
from qafm.models.reid_baseline import ReidBaseline
from qafm.models.weight_mlp import WeightMlp
from qafm.models.weights import load_weights, save_weights
from qafm.perturbations.stack import perturb
from qafm.quality.identifiability import identifiability
from qafm.tables.parquet import read_parquet, write_parquet
from qafm.tables.quality import QUALITY_SCHEMA
from tests.unit.companions.bpbreid.conftest import RUNTIME

BACKBONE = BackboneConfig(name="resnet10", last_stride=1, init="random", height=32, width=16)
ARCHITECTURE = ArchitectureConfig(
    backbone=BACKBONE,
    apn=ApnConfig(mfpm_channels=8, decoder_channels=(8,), lam_channels=(16, 16), embedding_dim=12),
    apan=ApanConfig(pafm_channels=4, step_channels=4, hidden_channels=4, embedding_dim=10),
)
MODEL = FusedModelConfig(architecture=ARCHITECTURE, head=HeadConfig(dim=14), fixed_weight=None)
PERTURB, QUALITY = PerturbConfig(light_offsets=(-45, 45), occlusion_sizes=()), QualityConfig(normalize="none", mode="reference")
KNOWN = 1.7  # Q of every whole image


@pytest.fixture
def model(images: Path) -> Qafm:
    """A model whose weight depends on Q; beside it an extractor and quality.parquet."""
    folder = images.parent
    torch.manual_seed(2)
    found = Qafm(ARCHITECTURE, MODEL.head, 3, WeightMlp(mean=1.0, sd=0.5, start_weight=0.3))
    assert found.weight_mlp is not None
    found.weight_mlp.output.weight.data.normal_()
    save_weights(folder / "qafm.safetensors", found.state_dict(), {})
    save_weights(folder / "extractor.safetensors", ReidBaseline(backbone=BACKBONE, num_ids=3).state_dict(), {})
    scores = [dict.fromkeys(QUALITY_SCHEMA.names, 0.0) | {"image_id": row["image_id"], "q": KNOWN} for row in read_parquet(images).to_pylist()]
    write_parquet(folder / "quality.parquet", pa.Table.from_pylist(scores, schema=QUALITY_SCHEMA))
    return found.eval()


def embedded(images: Path, q: bool) -> dict[str, dict[str, np.ndarray]]:
    """View -> image_id -> its one vector."""
    folder = images.parent
    source = QSource(folder / "extractor.safetensors", QNetwork(extractor=BACKBONE, perturb=PERTURB, quality=QUALITY)) if q else None
    outs = {view: folder / f"{view}.parquet" for view in VIEWS}
    embed_fused_views(images, folder / "quality.parquet", folder / "qafm.safetensors", source, MODEL, RUNTIME, "filled", outs)
    tables = {view: read_parquet(path).to_pylist() for view, path in outs.items()}
    assert all(row["visible"] == [1] and row["confidence"] == [1.0] for table in tables.values() for row in table)
    return {view: {row["image_id"]: np.array(row["vectors"]) for row in table} for view, table in tables.items()}


@torch.no_grad()
def test_every_picture_is_fused_at_its_own_weight(images: Path, model: Qafm) -> None:
    extractor = ReidBaseline(backbone=BACKBONE, num_ids=3)
    extractor.load_state_dict(load_weights(images.parent / "extractor.safetensors")[0])
    found = embedded(images, q=True)
    rows = {row["image_id"]: row for row in read_parquet(images).to_pylist() if row["split"] != "train" and not row["junk"]}
    queries = {name for name, row in rows.items() if row["split"] == "query"}
    assert {view: set(vectors) for view, vectors in found.items()} == {"full": set(rows), "lower": set(rows), "upper": queries, "occluded": queries}
    weights = set()
    for view, vectors in found.items():
        for name, vector in vectors.items():
            picture = take_view(read_image(Path(rows[name]["path"])), view, name, "filled")
            features = extractor.eval()(normalize(to_input(perturb(picture, name, PERTURB), 32, 16))).feature.numpy()
            q = KNOWN if view == "full" else identifiability(features, normalize="none", mode="reference")
            assert model.weight_mlp is not None
            w = model.weight_mlp.weight(torch.tensor([q], dtype=torch.float32))
            batch = normalize(to_input(picture[None], 32, 16))
            expected = model.head(model.visual(batch).v_a, model.attribute(batch).v_s, w).descriptor[0].numpy()
            np.testing.assert_allclose(vector, expected / np.linalg.norm(expected), atol=1e-4)
            weights.add(round(float(w), 6))
    assert len(weights) > 4


@torch.no_grad()
def test_without_an_extractor_a_part_has_the_weight_of_the_mean_q(images: Path, model: Qafm) -> None:
    found = embedded(images, q=False)
    row = next(row for row in read_parquet(images).to_pylist() if row["split"] == "query")
    assert model.weight_mlp is not None
    for view, q in (("full", KNOWN), ("upper", 1.0)):
        picture = take_view(read_image(Path(row["path"])), view, row["image_id"], "filled")  # type: ignore[arg-type]
        batch = normalize(to_input(picture[None], 32, 16))
        expected = model.head(model.visual(batch).v_a, model.attribute(batch).v_s, model.weight_mlp.weight(torch.tensor([q]))).descriptor[0].numpy()
        np.testing.assert_allclose(found[view][row["image_id"]], expected / np.linalg.norm(expected), atol=1e-4)
