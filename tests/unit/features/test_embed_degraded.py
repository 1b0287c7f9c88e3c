"""Degraded queries: vectors, Q and weight against the model and the stages, image by image; runs without a Q of their own."""

from pathlib import Path

import numpy as np
import pytest
import torch

from qafm.config.degradations import DegradationsConfig
from qafm.config.fusion import FusedModelConfig
from qafm.config.runtime import RuntimeConfig
from qafm.datasets.degrade_image import degrade_image
from qafm.datasets.read_image import read_image
from qafm.errors import InputError
from qafm.features.embed_degraded import embed_degraded
from qafm.features.new_images import QSource
from qafm.models.qafm import Qafm
from qafm.models.weights import save_weights
from qafm.tables.parquet import read_parquet
from tests.made_up_qafm import ARCHITECTURE, MODEL, as_batch, make_q_source, make_qafm, slow_q

CONFIG = DegradationsConfig(queries=3, kinds=("noise", "occlusion"), levels=(0.9, 0.3), seed=4)
RUNTIME = RuntimeConfig(threads=1, device="cpu")


@pytest.fixture
def model(tmp_path: Path) -> Qafm:
    return make_qafm(tmp_path)[0]


def rows_of(tmp_path: Path, images: Path, source: QSource | None, model: FusedModelConfig = MODEL, weights: str = "qafm.safetensors") -> list[dict]:
    embed_degraded(images, tmp_path / weights, source, CONFIG, model, RUNTIME, tmp_path / "d.parquet")
    return read_parquet(tmp_path / "d.parquet").to_pylist()


@torch.no_grad()
def test_every_row_is_what_model_and_stages_say_of_that_picture(tmp_path: Path, images: Path, model: Qafm) -> None:
    extractor, source = make_q_source(tmp_path)
    rows = rows_of(tmp_path, images, source)
    paths = {row["image_id"]: row["path"] for row in read_parquet(images).to_pylist() if row["split"] == "query"}
    assert [(row["degradation"], row["level"]) for row in rows[::3]] == [("none", 0), ("noise", 0.9), ("noise", 0.3), ("occlusion", 0.9), ("occlusion", 0.3)]
    assert len({row["image_id"] for row in rows}) == 3 and {row["image_id"] for row in rows} <= set(paths)
    assert [row["image_id"] for row in rows] == sorted({row["image_id"] for row in rows}) * 5
    for row in rows:
        picture = read_image(Path(paths[row["image_id"]]))
        if row["level"]:
            picture = degrade_image(picture, row["degradation"], row["level"], f"4/{row['image_id']}")
        batch = as_batch(picture)
        np.testing.assert_allclose(row["v_a"], model.visual(batch).v_a[0].numpy(), atol=1e-5)
        np.testing.assert_allclose(row["v_s"], model.attribute(batch).v_s[0].numpy(), atol=1e-5)
        assert row["q"] == pytest.approx(slow_q(picture, row["image_id"], extractor), rel=1e-4)
        assert model.weight_mlp is not None
        assert row["visual_weight"] == pytest.approx(float(model.weight_mlp.weight(torch.tensor([row["q"]]))[0]), rel=1e-4)


@pytest.mark.usefixtures("model")
def test_without_a_q_of_its_own_a_learned_weight_is_unknown_and_a_fixed_one_is_not(tmp_path: Path, images: Path) -> None:
    assert {(row["q"], row["visual_weight"]) for row in rows_of(tmp_path, images, None)} == {(None, None)}
    fixed = MODEL.model_copy(update={"fixed_weight": 0.25})
    save_weights(tmp_path / "mspa.safetensors", Qafm(ARCHITECTURE, fixed.head, 3, None).state_dict(), {})
    assert {(row["q"], row["visual_weight"]) for row in rows_of(tmp_path, images, None, fixed, "mspa.safetensors")} == {(None, 0.25)}


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
