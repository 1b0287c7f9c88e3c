"""What stage 6 exports is what the model computes: the ablation's numpy against torch."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import torch

from qafm.config.backbone import BackboneConfig
from qafm.config.branches import ApanConfig, ApnConfig
from qafm.config.fusion import ArchitectureConfig, FusedModelConfig, HeadConfig
from qafm.config.runtime import RuntimeConfig
from qafm.datasets.read_image import read_image
from qafm.errors import InputError
from qafm.evaluation.fuse import ExportedHead
from qafm.features.embed_images import embed_images, load_qafm, save_head, visual_weights
from qafm.models.qafm import Qafm
from qafm.models.weight_mlp import WeightMlp
from qafm.models.weights import save_weights
from qafm.tables.parquet import read_parquet, write_parquet
from qafm.tables.quality import QUALITY_SCHEMA
from tests import made_up_qafm

ARCHITECTURE = ArchitectureConfig(
    backbone=BackboneConfig(name="resnet10", last_stride=1, init="random", height=64, width=32),
    apn=ApnConfig(mfpm_channels=8, decoder_channels=(8,), lam_channels=(16, 16), embedding_dim=12),
    apan=ApanConfig(pafm_channels=4, step_channels=4, hidden_channels=4, embedding_dim=10),
)


MODEL = FusedModelConfig(architecture=ARCHITECTURE, head=HeadConfig(dim=14), fixed_weight=None)


def trained(config: FusedModelConfig) -> Qafm:
    """A model whose batch norms have seen data, so that every affine map is a real one."""
    torch.manual_seed(1)
    mlp = WeightMlp(mean=1.0, sd=0.2, start_weight=0.3) if config.fixed_weight is None else None
    model = Qafm(config.architecture, config.head, 4, mlp).train()
    with torch.no_grad():
        for _ in range(3):
            images = torch.randn(6, 3, 64, 32)
            visual, attribute = model.visual(images), model.attribute(images)
            model.head(visual.v_a, attribute.v_s, torch.rand(6))
        if mlp is not None:
            mlp.output.weight.normal_()
    return model.eval()


@pytest.mark.parametrize("head", [HeadConfig(dim=14), HeadConfig(dim=9, activation="relu"), HeadConfig(dim=14, normalize=False), HeadConfig(dim=None)])
def test_exported_head_equals_the_model(tmp_path: Path, head: HeadConfig) -> None:
    config = MODEL.model_copy(update={"head": head})
    model = trained(config)
    save_head(tmp_path / "head.safetensors", model, config)
    exported = ExportedHead.load(tmp_path / "head.safetensors")
    v_a, v_s, w = torch.randn(7, 12), torch.randn(7, 10), torch.rand(7)
    with torch.no_grad():
        np.testing.assert_allclose(exported.fused(v_a.numpy(), v_s.numpy(), w.numpy()), model.head(v_a, v_s, w).descriptor.numpy(), atol=1e-5)
        np.testing.assert_allclose(exported.apn_descriptor(v_a.numpy()), model.visual.apn.descriptor(v_a).numpy(), atol=1e-5)
        np.testing.assert_allclose(exported.apan_descriptor(v_s.numpy()), model.attribute.apan.descriptor(v_s).numpy(), atol=1e-5)


def test_branch_without_identity_head_is_its_own_descriptor(tmp_path: Path) -> None:
    architecture = ARCHITECTURE.model_copy(update={"apan": ARCHITECTURE.apan.model_copy(update={"identity_head": False})})
    config = MODEL.model_copy(update={"architecture": architecture})
    save_head(tmp_path / "head.safetensors", trained(config), config)
    v_s = np.random.default_rng(0).normal(size=(5, 10)).astype(np.float32)
    expected = v_s / np.linalg.norm(v_s, axis=1, keepdims=True)
    np.testing.assert_allclose(ExportedHead.load(tmp_path / "head.safetensors").apan_descriptor(v_s), expected, atol=1e-6)


def test_weight_depends_on_q_and_falls_back_to_the_mean() -> None:
    weights = visual_weights(trained(MODEL), np.array([0.4, 1.0, 1.6, np.nan]), MODEL)
    assert len(set(weights[:3].tolist())) == 3
    assert weights[3] == weights[1]
    assert ((weights > 0) & (weights < 1)).all()
    fixed = MODEL.model_copy(update={"fixed_weight": 0.25})
    assert visual_weights(trained(fixed), np.array([0.4, np.nan]), fixed).tolist() == [0.25, 0.25]


def test_weights_load_back_or_are_refused(tmp_path: Path) -> None:
    model = trained(MODEL)
    save_weights(tmp_path / "model.safetensors", model.state_dict(), {})
    again = load_qafm(tmp_path / "model.safetensors", MODEL)
    images = torch.randn(3, 3, 32, 16)
    with torch.no_grad():
        for now, then in zip((again.visual(images).v_a, again.attribute(images).v_s), (model.visual(images).v_a, model.attribute(images).v_s), strict=True):
            torch.testing.assert_close(now, then, rtol=0, atol=1e-4)
    with pytest.raises(InputError, match=r"model\.safetensors: does not fit the configured model"):
        load_qafm(tmp_path / "model.safetensors", MODEL.model_copy(update={"head": HeadConfig(dim=15)}))


@torch.no_grad()
def test_every_searched_image_has_its_own_vectors_q_and_weight(tmp_path: Path, images: Path) -> None:
    """One image at a time; one image has no Q, and the table of Q is in another order."""
    model, weights = made_up_qafm.make_qafm(tmp_path)
    rows = {row["image_id"]: row for row in read_parquet(images).to_pylist() if not row["junk"]}
    quality = {name: 0.43 + 0.05 * i for i, name in enumerate(rows)}
    scores = [{**dict.fromkeys(QUALITY_SCHEMA.names, 0.0), "image_id": name, "q": q} for name, q in reversed(quality.items()) if name != "021.png"]
    write_parquet(tmp_path / "quality.parquet", pa.Table.from_pylist(scores, QUALITY_SCHEMA))
    files = {"out": tmp_path / "e.parquet", "head": tmp_path / "head.safetensors"}
    embed_images(images, tmp_path / "quality.parquet", weights, made_up_qafm.MODEL, RuntimeConfig(threads=1, device="cpu"), **files)
    table = read_parquet(files["out"]).to_pylist()
    assert [row["image_id"] for row in table] == [name for name, row in rows.items() if row["split"] != "train" or row["fold"] == "holdout"]
    assert model.weight_mlp is not None
    for row in table:
        known = rows[row["image_id"]]
        batch = made_up_qafm.as_batch(read_image(Path(known["path"])))
        np.testing.assert_allclose(row["v_a"], model.visual(batch).v_a[0].numpy(), atol=1e-4)
        np.testing.assert_allclose(row["v_s"], model.attribute(batch).v_s[0].numpy(), atol=1e-4)
        q = None if row["image_id"] == "021.png" else quality[row["image_id"]]
        assert row["q"] == q and row["split"] == ("holdout" if known["split"] == "train" else known["split"])
        assert row["visual_weight"] == pytest.approx(float(model.weight_mlp.weight(torch.tensor([1.0 if q is None else q]))), rel=1e-5)
    assert len({row["visual_weight"] for row in table}) == len(table)
