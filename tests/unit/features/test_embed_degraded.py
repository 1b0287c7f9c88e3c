"""Degraded queries: vectors, Q and weight against the model and the stages, image by image; runs without a Q of their own."""

from pathlib import Path

import numpy as np
import pytest
import torch

from qafm.config.backbone import BackboneConfig
from qafm.config.branches import ApanConfig, ApnConfig
from qafm.config.degradations import DegradationsConfig
from qafm.config.fusion import ArchitectureConfig, FusedModelConfig, HeadConfig
from qafm.config.perturb import PerturbConfig
from qafm.config.q_network import QNetwork
from qafm.config.quality import QualityConfig
from qafm.config.runtime import RuntimeConfig
from qafm.datasets.degrade_image import degrade_image
from qafm.datasets.read_image import read_image
from qafm.features.embed_degraded import embed_degraded
from qafm.features.new_images import QSource
from qafm.images.network_input import normalize, to_input
from qafm.models.qafm import Qafm
from qafm.models.reid_baseline import ReidBaseline
from qafm.models.weight_mlp import WeightMlp
from qafm.models.weights import save_weights
from qafm.perturbations.stack import perturb
from qafm.quality.identifiability import identifiability
from qafm.runtime.errors import InputError
from qafm.tables.parquet import read_parquet

BACKBONE = BackboneConfig(name="resnet10", last_stride=1, init="random", height=32, width=16)
ARCHITECTURE = ArchitectureConfig(
    backbone=BACKBONE,
    apn=ApnConfig(mfpm_channels=8, decoder_channels=(8,), lam_channels=(16, 16), embedding_dim=12),
    apan=ApanConfig(pafm_channels=4, step_channels=4, hidden_channels=4, embedding_dim=10),
)
MODEL = FusedModelConfig(architecture=ARCHITECTURE, head=HeadConfig(dim=14), fixed_weight=None)
CONFIG = DegradationsConfig(queries=3, kinds=("noise", "occlusion"), levels=(0.9, 0.3), seed=4)
RUNTIME = RuntimeConfig(threads=1, device="cpu")
PERTURB, QUALITY = PerturbConfig(light_offsets=(-45, 45), occlusion_sizes=()), QualityConfig(normalize="none", mode="reference")


@pytest.fixture
def model(tmp_path: Path) -> Qafm:
    torch.manual_seed(2)
    found = Qafm(ARCHITECTURE, MODEL.head, 3, WeightMlp(mean=1.0, sd=0.5, start_weight=0.3))
    assert found.weight_mlp is not None
    found.weight_mlp.output.weight.data.normal_()
    save_weights(tmp_path / "qafm.safetensors", found.state_dict(), {})
    return found.eval()


@pytest.fixture
def extractor(tmp_path: Path) -> ReidBaseline:
    torch.manual_seed(3)
    found = ReidBaseline(backbone=BACKBONE, num_ids=3)
    save_weights(tmp_path / "extractor.safetensors", found.state_dict(), {})
    return found.eval()


def rows_of(tmp_path: Path, images: Path, q: bool, model: FusedModelConfig = MODEL, weights: str = "qafm.safetensors") -> list[dict]:
    source = QSource(tmp_path / "extractor.safetensors", QNetwork(extractor=BACKBONE, perturb=PERTURB, quality=QUALITY)) if q else None
    embed_degraded(images, tmp_path / weights, source, CONFIG, model, RUNTIME, tmp_path / "d.parquet")
    return read_parquet(tmp_path / "d.parquet").to_pylist()


@torch.no_grad()
def test_every_row_is_what_model_and_stages_say_of_that_picture(tmp_path: Path, images: Path, model: Qafm, extractor: ReidBaseline) -> None:
    rows = rows_of(tmp_path, images, q=True)
    paths = {row["image_id"]: row["path"] for row in read_parquet(images).to_pylist() if row["split"] == "query"}
    assert [(row["degradation"], row["level"]) for row in rows[::3]] == [("none", 0), ("noise", 0.9), ("noise", 0.3), ("occlusion", 0.9), ("occlusion", 0.3)]
    assert len({row["image_id"] for row in rows}) == 3 and {row["image_id"] for row in rows} <= set(paths)
    assert [row["image_id"] for row in rows] == sorted({row["image_id"] for row in rows}) * 5
    for row in rows:
        picture = read_image(Path(paths[row["image_id"]]))
        if row["level"]:
            picture = degrade_image(picture, row["degradation"], row["level"], f"4/{row['image_id']}")
        batch = normalize(to_input(picture[None], 32, 16))
        np.testing.assert_allclose(row["v_a"], model.visual(batch).v_a[0].numpy(), atol=1e-5)
        np.testing.assert_allclose(row["v_s"], model.attribute(batch).v_s[0].numpy(), atol=1e-5)
        features = extractor(normalize(to_input(perturb(picture, row["image_id"], PERTURB), 32, 16))).feature.numpy()
        assert row["q"] == pytest.approx(identifiability(features, normalize="none", mode="reference"), rel=1e-4)
        assert model.weight_mlp is not None
        assert row["visual_weight"] == pytest.approx(float(model.weight_mlp.weight(torch.tensor([row["q"]]))[0]), rel=1e-4)


@pytest.mark.usefixtures("model")
def test_without_a_q_of_its_own_a_learned_weight_is_unknown_and_a_fixed_one_is_not(tmp_path: Path, images: Path) -> None:
    assert {(row["q"], row["visual_weight"]) for row in rows_of(tmp_path, images, q=False)} == {(None, None)}
    fixed = MODEL.model_copy(update={"fixed_weight": 0.25})
    save_weights(tmp_path / "mspa.safetensors", Qafm(ARCHITECTURE, fixed.head, 3, None).state_dict(), {})
    assert {(row["q"], row["visual_weight"]) for row in rows_of(tmp_path, images, False, fixed, "mspa.safetensors")} == {(None, 0.25)}


@pytest.mark.usefixtures("model")
def test_more_queries_than_there_are_takes_all_and_bad_weights_leave_nothing(tmp_path: Path, images: Path) -> None:
    out = tmp_path / "d.parquet"
    many = CONFIG.model_copy(update={"queries": 99, "kinds": ("noise",), "levels": (0.5,)})
    embed_degraded(images, tmp_path / "qafm.safetensors", None, many, MODEL, RUNTIME, out)
    assert len(read_parquet(out)) == 2 * 4
    out.unlink()
    (tmp_path / "broken.safetensors").write_text("no weights")
    with pytest.raises(InputError, match=r"broken\.safetensors"):
        embed_degraded(images, tmp_path / "broken.safetensors", None, many, MODEL, RUNTIME, out)
    assert not out.exists()
