"""The Python API against the chain: the same vectors, Q, weight and descriptor; batches, order, errors and fast path."""

import json
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

import qafm
from qafm.datasets.read_image import read_image
from qafm.errors import InputError
from qafm.evaluation.fuse import ExportedHead
from qafm.features.embed_images import save_head
from qafm.images.network_input import normalize, to_input
from qafm.inference.model import ReidModel
from qafm.inference.pictures import content_key
from qafm.inference.results import Attribute
from qafm.perturbations.stack import perturb
from qafm.quality.identifiability import identifiability
from qafm.tables.attributes import ATTRIBUTES
from tests.made_up_run import MEAN, MODEL_CONFIG, PERTURB, SD, UNLABELLED, MadeUpRun, calibration, made_up_bundle, made_up_run, pictures


@torch.no_grad()
def by_the_stages(run: MadeUpRun, picture: np.ndarray, key: str) -> tuple[np.ndarray, np.ndarray, float]:
    """v_a, v_s and Q of one picture, from the original networks, step by step."""
    batch = normalize(to_input(picture[None], 32, 16))
    features = run.extractor(normalize(to_input(perturb(picture, key, PERTURB), 64, 32))).feature.numpy()
    return run.model.visual(batch).v_a[0].numpy(), run.model.attribute(batch).v_s[0].numpy(), identifiability(features)


def test_descriptors_are_those_of_the_chain(run: MadeUpRun, model: ReidModel, tmp_path: Path) -> None:
    shown = pictures(3)
    found = model.embed(shown, batch=2)
    assert run.model.weight_mlp is not None
    save_head(tmp_path / "head.safetensors", run.model, MODEL_CONFIG)
    head = ExportedHead.load(tmp_path / "head.safetensors")
    for i, picture in enumerate(shown):
        v_a, v_s, q = by_the_stages(run, picture, content_key(picture))
        w = float(run.model.weight_mlp.weight(torch.tensor([q]))[0].detach())
        assert found.q[i] == pytest.approx(q, rel=1e-5)
        assert found.visual_weight[i] == pytest.approx(w, rel=1e-4)
        np.testing.assert_allclose(found.descriptor[i], head.fused(v_a[None], v_s[None], w)[0], atol=1e-4)
    assert (found.descriptor.shape, found.descriptor.dtype, found.q.dtype, found.visual_weight.dtype) == ((3, 14), np.float32, np.float64, np.float64)
    np.testing.assert_allclose(np.linalg.norm(found.descriptor, axis=1), 1, rtol=1e-5)
    assert len(found) == 3 and np.ptp(found.visual_weight) > 1e-3
    assert (model.dim, model.name, model.model_id) == (14, "made/up/run/seed-1", model.config.digest)


def test_with_a_run_s_key_q_is_the_run_s(run: MadeUpRun, model: ReidModel) -> None:
    picture = pictures(1)[0]
    assert model.quality is not None
    assert model.quality.scores(picture, "query/x.png")[0] == pytest.approx(by_the_stages(run, picture, "query/x.png")[2], rel=1e-6)
    assert model.quality.scores(picture, "query/x.png")[0] != model.quality.scores(picture)[0]


def test_names_and_companions_in_a_batch_change_nothing(model: ReidModel, tmp_path: Path) -> None:
    shown = pictures(3)
    for i, picture in enumerate(shown):
        cv2.imwrite(str(tmp_path / f"{i} ü.png"), picture[..., ::-1])
    of_files = model.embed(sorted(tmp_path.iterdir()), batch=3)
    of_arrays = model.embed(shown, batch=1)
    np.testing.assert_array_equal(of_files.q, of_arrays.q)
    np.testing.assert_allclose(of_files.descriptor, of_arrays.descriptor, atol=1e-5)
    np.testing.assert_allclose(model.embed(shown[2]).descriptor, of_files.descriptor[2:], atol=1e-5)


def test_without_quality_every_image_gets_the_weight_of_the_mean(run: MadeUpRun, model: ReidModel) -> None:
    found = model.embed(pictures(2), quality=False)
    assert run.model.weight_mlp is not None
    assert np.isnan(found.q).all()
    np.testing.assert_allclose(found.visual_weight, float(run.model.weight_mlp.weight(torch.tensor([MEAN]))[0].detach()), rtol=1e-6)


def test_scores_say_how_identifiable_an_image_is(model: ReidModel) -> None:
    shown = pictures(2)
    first, second = model.score(shown, progress=False)
    found = model.embed(shown, progress=False)
    assert (first.q, second.q) == tuple(found.q) and first.visual_weight == found.visual_weight[0]
    assert first.paper_alpha == 1 - first.visual_weight
    assert first.q is not None and first.q_z == pytest.approx((first.q - MEAN) / SD)
    expected = np.clip((first.q - 0.1) / 0.4, 0, 1)  # the made-up reference is spread evenly over 0.1 .. 0.5
    assert first.q_rank == pytest.approx(expected, abs=1e-9)
    assert set(first.by_family) == {"light", "occlusion", "background", "noise"}  # no blur is configured
    assert model.quality is not None
    features = model.quality.extractor.model(normalize(to_input(perturb(shown[0], content_key(shown[0]), PERTURB), 64, 32))).feature.detach().numpy()
    assert first.by_family["light"] == pytest.approx(identifiability(features[:5]), rel=1e-5)  # the original and the four of light, which come first


@torch.no_grad()
def test_attributes_are_the_most_likely_classes_of_what_was_trained(run: MadeUpRun, model: ReidModel) -> None:
    shown = pictures(3)
    found = model.attributes(shown, batch=2)
    assert model.attribute_names == tuple(attribute.name for attribute in ATTRIBUTES if attribute.name not in UNLABELLED)
    assert all(tuple(answer) == model.attribute_names for answer in found)
    for picture, answer in zip(shown, found, strict=True):
        logits = run.model.attribute(normalize(to_input(picture[None], 32, 16))).attribute_logits
        gender = float(torch.sigmoid(logits[0])[0])
        assert answer["gender"].value == ("female" if gender > 0.5 else "male")
        assert answer["gender"].probability == pytest.approx(max(gender, 1 - gender), rel=1e-4)
        colour = torch.softmax(logits[10], dim=1)[0]
        assert answer["up_color"] == Attribute(ATTRIBUTES[10].classes[int(colour.argmax())], pytest.approx(float(colour.max()), rel=1e-4))


def test_without_a_calibration_or_q_or_attributes_the_answers_say_so(tmp_path: Path) -> None:
    from qafm.config.quality import QualityConfig

    published = QualityConfig(source="published", published="their.csv")
    run = made_up_run(tmp_path, quality=published, attributes=False)
    run.sources.calibration.write_text(json.dumps(calibration(model=False)))
    model = qafm.load(made_up_bundle(tmp_path / "b", run))
    picture = pictures(1)[0]
    found = model.match(picture, picture)
    assert (found.probability, found.false_match_rate, found.prior) == (None, None, None)
    score = model.score(picture)[0]
    assert (score.q, score.q_z, score.q_rank, score.by_family) == (None, None, None, {})
    embedded = model.embed(picture)
    assert np.isnan(embedded.q).all() and embedded.visual_weight[0] == score.visual_weight
    with pytest.raises(InputError, match=r"^made/up/run/seed-1: was trained without attributes"):
        model.attributes(picture)


def test_a_fixed_weight_is_every_image_s_weight(tmp_path: Path) -> None:
    model = qafm.load(made_up_bundle(tmp_path / "b", made_up_run(tmp_path, fixed=0.25)))
    found = model.embed(pictures(2))
    assert (found.visual_weight == 0.25).all() and np.isfinite(found.q).all()
    assert model.gallery_id(quality=False) == model.gallery_id() == model.model_id  # the weight does not depend on Q


def test_bad_input_is_one_line(model: ReidModel, tmp_path: Path) -> None:
    (tmp_path / "text.jpg").write_text("no picture")
    for use in (model.embed, model.score, model.attributes):
        for images, message in (([], "images: none given"), ([tmp_path / "text.jpg"], "cannot be decoded"), (np.zeros((9, 9, 3)), "is float64")):
            with pytest.raises(InputError, match=message) as caught:
                use(images)
            assert "\n" not in str(caught.value)
    with pytest.raises(InputError, match=r"^image 1: is a list, expected a path"):
        model.match(np.zeros((9, 9, 3), np.uint8), [])  # pyright: ignore[reportArgumentType]
    with pytest.raises(InputError, match=r"^device 'tpu': expected one of auto, cpu, cuda$"):
        qafm.load(model.bundle.folder, device="tpu")  # pyright: ignore[reportArgumentType]
    if not torch.cuda.is_available():
        with pytest.raises(InputError, match="torch finds no GPU"):
            qafm.load(model.bundle.folder, device="cuda")


def test_the_chain_s_pixels_are_what_a_path_gives(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "a.png"), pictures(1)[0])
    assert content_key(read_image(tmp_path / "a.png")) == content_key(pictures(1)[0][..., ::-1].copy())
    assert "qafm.inference.model" in sys.modules


def test_describing_waits_for_no_compiler_and_no_torchvision(tmp_path: Path) -> None:
    """They take as long to import as torch itself."""
    file = tmp_path / "person.png"
    cv2.imwrite(str(file), np.full((64, 32, 3), 120, np.uint8))
    slow = "{'torch._dynamo', 'torch._inductor', 'torchvision'}"
    code = f"import sys, qafm; qafm.load(device='cpu').embed([sys.argv[1]], progress=False); print(*({slow} & sys.modules.keys()))"
    done = subprocess.run([sys.executable, "-c", code, str(file)], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
