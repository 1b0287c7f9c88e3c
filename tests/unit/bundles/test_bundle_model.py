"""What goes into a bundle: the weights that are used, and everything they do not say themselves."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import torch

from qafm.bundles.bundle_model import bundle_model
from qafm.bundles.describe_training import describe_training
from qafm.bundles.load_bundle import load_bundle
from qafm.bundles.stored_weights import weights_digest
from qafm.config.bundle import BundleConfig, BundledMetrics, MeasuredAttribute
from qafm.config.perturb import PerturbConfig
from qafm.config.quality import QualityConfig
from qafm.errors import InputError
from qafm.models.qafm import Qafm
from qafm.models.weights import load_weights
from qafm.runtime.files import write_json
from qafm.tables.attributes import ATTRIBUTE_NAMES
from qafm.tables.images import IMAGES_SCHEMA
from qafm.tables.parquet import read_parquet, write_parquet
from tests.made_up_run import ARCHITECTURE, EXTRACTOR, MEAN, PERTURB, SD, UNLABELLED, calibration, made_up_bundle, made_up_run


@torch.no_grad()
def answers(model: Qafm) -> list[np.ndarray]:
    batch = torch.randn(4, 3, 32, 16, generator=torch.Generator().manual_seed(1))
    visual, attribute = model.visual(batch), model.attribute(batch)
    descriptor = model.head(visual.v_a, attribute.v_s, torch.linspace(0, 1, 4)).descriptor
    return [descriptor.numpy(), model.visual.apn.descriptor(visual.v_a).numpy(), *(logits.numpy() for logits in attribute.attribute_logits)]


def test_what_is_used_is_kept_and_what_only_training_needs_is_gone(tmp_path: Path) -> None:
    run = made_up_run(tmp_path)
    bundle = load_bundle(made_up_bundle(tmp_path / "b", run))
    for kept, original in zip(answers(bundle.model), answers(run.model), strict=True):
        np.testing.assert_allclose(kept, original, rtol=0, atol=1e-5)  # batch norms are folded on loading
    assert bundle.extractor is not None
    tensors, header = load_weights(tmp_path / "b" / "model.safetensors")
    assert {tuple(tensors[f"{part}.neck.classifier.weight"].shape) for part in ("visual.apn", "attribute.apan", "head")} == {(0, 12), (0, 10), (0, 14)}
    assert not any("horizontal" in name or "vertical" in name for name in tensors)
    assert header["fixed_weight"] is None and header["architecture"]["apn"]["vertical_stripes"] == 0
    assert not bundle.model.training and not bundle.extractor.training


def test_bundle_json_says_where_it_comes_from(tmp_path: Path) -> None:
    folder = made_up_bundle(tmp_path / "b", made_up_run(tmp_path))
    config = BundleConfig.model_validate_json((folder / "bundle.json").read_text())
    assert (config.format, config.name, config.dtype, config.fixed_weight) == (1, "made/up/run/seed-1", "float32", None)
    assert (config.head.dim, config.extractor, config.perturb, config.quality.mode) == (14, EXTRACTOR, PERTURB, "all_pairs")
    assert (config.reference.mean, config.reference.sd, len(config.reference.quantiles)) == (MEAN, SD, 101)
    trained = config.trained_on
    assert (trained.kind, trained.images, trained.ids, trained.cameras) == ("synthetic", 10, 5, 2)
    assert trained.attributes["hair"] == {"short": 5, "long": 5} and trained.attributes["up_color"]["red"] == 0
    assert {name for name in ATTRIBUTE_NAMES if not trained.learned(name)} == set(UNLABELLED) and not trained.learned("no such")
    assert config.measured == {"qafm": BundledMetrics(rank1=61.5, mAP=42.25, n_queries=13)}
    assert config.measured_attributes == {"gender": MeasuredAttribute(accuracy=81.5, majority=70.0)}
    assert config.architecture.apn.horizontal_stripes == 0 and config.architecture.apan == ARCHITECTURE.apan
    assert config.digest == weights_digest([folder / "model.safetensors", folder / "extractor.safetensors"])
    assert json.loads((folder / "calibration.json").read_text())["genuine_pairs"] == calibration()["genuine_pairs"]


@pytest.mark.parametrize(("known", "cameras"), [(1, 1), (0, 0)])
def test_images_of_an_unknown_camera_are_of_no_camera(tmp_path: Path, known: int, cameras: int) -> None:
    path = made_up_run(tmp_path).sources.images
    rows = [row | {"camid": row["camid"] if row["camid"] <= known else None} for row in read_parquet(path).to_pylist()]
    write_parquet(path, pa.Table.from_pylist(rows, schema=IMAGES_SCHEMA))
    trained = describe_training(path, "folders")
    assert (trained.images, trained.ids, trained.cameras) == (10, 5, cameras)


def test_an_attribute_with_one_class_alone_is_not_learned(tmp_path: Path) -> None:
    config = load_bundle(made_up_bundle(tmp_path / "b", made_up_run(tmp_path))).config
    trained = config.trained_on.model_copy(update={"attributes": {"hat": {"no": 7, "yes": 0}, "hair": {"short": 1, "long": 6}}})
    assert (trained.learned("hat"), trained.learned("hair")) == (False, True)


def test_float16_halves_the_files_and_keeps_what_must_be_exact(tmp_path: Path) -> None:
    run = made_up_run(tmp_path, dtype="float16")
    folder = made_up_bundle(tmp_path / "b", run)
    tensors, _ = load_weights(folder / "model.safetensors")
    for name, tensor in tensors.items():
        exact = name.startswith("weight_mlp.") or tensor.ndim < 2
        assert tensor.dtype == (run.model.state_dict()[name].dtype if exact else torch.float16), name
    assert tensors["visual.backbone.conv1.weight"].dtype == torch.float16
    whole = made_up_bundle(tmp_path / "w", made_up_run(tmp_path))
    assert (folder / "extractor.safetensors").stat().st_size < 0.6 * (whole / "extractor.safetensors").stat().st_size
    bundle = load_bundle(folder)
    assert {parameter.dtype for parameter in bundle.model.parameters()} == {torch.float32}
    np.testing.assert_allclose(answers(bundle.model)[0], answers(run.model)[0], atol=5e-3)


def test_the_identity_of_a_model_covers_the_settings_it_works_with(tmp_path: Path) -> None:
    run = made_up_run(tmp_path)

    def digest(folder: str, **changed: object) -> str:
        return load_bundle(made_up_bundle(tmp_path / folder, replace(run, settings=replace(run.settings, **changed)))).config.digest

    assert digest("a") == digest("b", name="another/name")
    q = run.settings.q
    computed_otherwise = {"c": {"perturb": PerturbConfig()}, "e": {"quality": QualityConfig(mode="reference")}}
    others = [digest("d", dtype="float16"), *(digest(folder, q=q.model_copy(update=changed)) for folder, changed in computed_otherwise.items())]
    assert len({digest("a"), *others}) == 4


def test_a_run_whose_q_came_from_a_file_has_no_extractor(tmp_path: Path) -> None:
    published = QualityConfig(source="published", published="their.csv")
    folder = made_up_bundle(tmp_path / "b", made_up_run(tmp_path, quality=published, attributes=False))
    bundle = load_bundle(folder)
    assert bundle.extractor is None and bundle.config.extractor is None and bundle.config.measured_attributes == {}
    assert sorted(path.name for path in folder.iterdir()) == ["bundle.json", "calibration.json", "model.safetensors"]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("quality.json", {"reference": {"mean": 1.0}}, r"quality\.json: holds no reference of Q"),
        ("qafm.json", {"galleries": {}}, r"qafm\.json: holds no rank1 and mAP"),
        ("calibration.json", {}, r"calibration\.json: is no calibration"),
    ],
)
def test_a_damaged_source_is_named_and_no_bundle_appears(tmp_path: Path, name: str, content: dict, message: str) -> None:
    run = made_up_run(tmp_path)
    write_json(tmp_path / name, content)
    with pytest.raises(InputError, match=message) as caught:
        bundle_model(run.sources, run.settings, tmp_path / "b" / "bundle.json")
    assert "\n" not in str(caught.value) and not (tmp_path / "b" / "bundle.json").exists()
