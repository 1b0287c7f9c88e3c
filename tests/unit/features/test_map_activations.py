"""Activation and match maps against Grad-CAM written out by hand, and against the descriptors that rank."""

import copy
from pathlib import Path

import cv2
import numpy as np
import pyarrow as pa
import pytest
import torch
from torch import Tensor, nn

from qafm.config.backbone import BackboneConfig
from qafm.config.branches import ApanConfig, ApnConfig
from qafm.config.fusion import ArchitectureConfig, FusedModelConfig, HeadConfig
from qafm.config.runtime import RuntimeConfig
from qafm.errors import InputError
from qafm.evaluation.fuse import ExportedHead
from qafm.features.embed_images import embed_images
from qafm.features.map_activations import map_activations, map_pair
from qafm.models.qafm import Qafm
from qafm.models.weight_mlp import WeightMlp
from qafm.models.weights import save_weights
from qafm.tables.activation_maps import ACTIVATION_MAPS_SCHEMA, KINDS
from qafm.tables.attributes import ATTRIBUTE_NAMES
from qafm.tables.examples import Example, write_examples
from qafm.tables.images import IMAGES_SCHEMA
from qafm.tables.parquet import read_parquet, write_parquet
from qafm.tables.quality import QUALITY_SCHEMA

RUNTIME = RuntimeConfig(threads=1, device="cpu")
EXAMPLES = [Example("success", "q/a.png", "g/b.png", "a rule"), Example("failure", "q/ü b.png", "g/c.png", "another")]
APAN = ApanConfig(pafm_channels=4, step_channels=6, hidden_channels=4, embedding_dim=10)


def architecture(last_stride: int = 1, apan: ApanConfig = APAN) -> ArchitectureConfig:
    backbone = BackboneConfig(name="resnet10", last_stride=last_stride, init="random", height=64, width=32)  # type: ignore[arg-type]
    return ArchitectureConfig(backbone=backbone, apn=ApnConfig(mfpm_channels=8, decoder_channels=(8,), lam_channels=(16, 16), embedding_dim=12), apan=apan)


HEAD = HeadConfig(dim=14)


def configured(head: HeadConfig = HEAD, fixed: float | None = None, built: ArchitectureConfig | None = None) -> FusedModelConfig:
    return FusedModelConfig(architecture=built or architecture(), head=head, fixed_weight=fixed)


MODEL = configured()


def listed(tmp_path: Path, examples: list[Example] = EXAMPLES) -> Path:
    """examples.json."""
    path = tmp_path / "examples.json"
    write_examples(path, examples)
    return path


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


def trained(config: FusedModelConfig = MODEL) -> Qafm:
    """A model whose batch norms have seen data, so that no affine map is the neutral one."""
    torch.manual_seed(1)
    mlp = WeightMlp(mean=1.0, sd=0.2, start_weight=0.3) if config.fixed_weight is None else None
    model = Qafm(config.architecture, config.head, 4, mlp).train()
    with torch.no_grad():
        for _ in range(3):
            batch = torch.randn(6, 3, 64, 32)
            model.head(model.visual(batch).v_a, model.attribute(batch).v_s, torch.rand(6))
        if mlp is not None:
            mlp.output.weight.normal_()
        for norm in model.modules():
            if isinstance(norm, nn.BatchNorm1d) and norm is not model.head.neck.norm:
                norm.bias.uniform_(-0.3, 0.3)
    return model.eval()


def project(folder: Path, model: Qafm) -> dict[str, Path]:
    """Images of noise, their tables and weights; one gallery image has no Q, one is junk."""
    rng = np.random.default_rng(0)
    rows = []
    for i, (image_id, junk) in enumerate({"g/b.png": False, "g/c.png": False, "g/junk.png": True, "q/a.png": False, "q/ü b.png": False}.items()):
        path = folder / image_id
        path.parent.mkdir(exist_ok=True, parents=True)
        path.write_bytes(cv2.imencode(".png", rng.integers(0, 256, (70 + i, 30 + i, 3), np.uint8))[1].tobytes())
        base = {"image_id": image_id, "path": str(path), "split": "query" if image_id[0] == "q" else "gallery", "pid": i, "camid": 1, "junk": junk}
        rows.append({**base, "distractor": False, "sha256": "", "height": 70 + i, "width": 30 + i, **dict.fromkeys(ATTRIBUTE_NAMES)})
    write_parquet(folder / "images.parquet", pa.Table.from_pylist(rows, schema=IMAGES_SCHEMA))
    quality = {"g/b.png": 0.7, "q/a.png": 1.2, "q/ü b.png": 1.6}
    scores = [{**dict.fromkeys(QUALITY_SCHEMA.names, 0.0), "image_id": name, "q": q} for name, q in quality.items()]
    write_parquet(folder / "quality.parquet", pa.Table.from_pylist(scores, schema=QUALITY_SCHEMA))
    save_weights(folder / "model.safetensors", model.state_dict(), {})
    return {name: folder / file for name, file in (("images", "images.parquet"), ("quality", "quality.parquet"), ("weights", "model.safetensors"))}


def forward_by_hand(model: Qafm, batch: Tensor, w: Tensor) -> dict[str, Tensor]:
    """Both branches and the head, step by step with plain operations, every intermediate map kept."""
    apn, apan, head = model.visual.apn, model.attribute.apan, model.head
    visual, attribute = model.visual.backbone(batch), model.attribute.backbone(batch)
    ltn, projected = apn.ltn(apn.mfpm(visual)), apan.project(apan.pafm(attribute))
    v_a = apn.embed(ltn.mean((2, 3)))
    states = [projected if apan.gates is None else projected * torch.sigmoid(apan.gates[t])[None, :, None, None] for t in range(apan.steps)]
    state, pooled = apan.cell.start(projected), []
    for step in states:
        state = apan.cell(step, state)
        pooled.append(state.h.mean((2, 3)))
    v_s = apan.embed(torch.cat([pooled[t] for t in (apan.step_of if apan.steps == 12 else [0])], 1))
    unit_a, unit_s = (v / v.norm(dim=1, keepdim=True) if head.normalize else v for v in (v_a, v_s))
    fused = head.fc(torch.cat([w[:, None] * unit_a, (1 - w)[:, None] * unit_s], 1))
    if isinstance(head.fc, nn.Linear):
        fused = head.neck.norm(fused) if head.fc_norm is None else head.fc_norm(fused).relu()
    descriptor = fused / fused.norm(dim=1, keepdim=True)
    return {"visual": visual, "attribute": attribute, "ltn": ltn, "projected": projected, "descriptor": descriptor}


def cam_by_hand(model: Qafm, batch: Tensor, w: Tensor, layer: str) -> Tensor:
    """Grad-CAM of both images' similarity at a map, place by place and channel by channel."""
    out = forward_by_hand(model, batch, w)
    maps = []
    for i in (0, 1):
        similarity = (out["descriptor"][i] * out["descriptor"][1 - i].detach()).sum()
        (gradient,) = torch.autograd.grad(similarity, out[layer], retain_graph=True)
        activation = out[layer][i].detach()
        cam = torch.zeros(activation.shape[1:])
        for channel in range(len(activation)):
            cam += gradient[i, channel].sum() * activation[channel]
        maps.append(cam.clamp_min(0))
    return torch.stack(maps)


@pytest.mark.parametrize(
    ("head", "built"),
    [
        (HeadConfig(dim=14), architecture()),
        (HeadConfig(dim=9, activation="relu"), architecture(last_stride=2)),
        (HeadConfig(dim=None), architecture()),
        (HeadConfig(dim=14, normalize=False), architecture(apan=APAN.model_copy(update={"step_channels": 0, "steps": 1, "gates": False}))),
    ],
)
def test_maps_equal_those_by_hand(head: HeadConfig, built: ArchitectureConfig) -> None:
    model = trained(configured(head, built=built))
    batch, w = torch.randn(2, 3, 64, 32), torch.tensor([0.3, 0.6])
    pair, expected = map_pair(model, batch, w), forward_by_hand(model, batch, w)
    assert tuple(pair.maps) == KINDS
    for kind, layer in (("visual_activation", "visual"), ("attribute_activation", "attribute")):
        torch.testing.assert_close(pair.maps[kind], expected[layer].detach().sum(1) / expected[layer].shape[1])
    for kind, layer in (("visual_match", "ltn"), ("attribute_match", "projected")):
        by_hand = cam_by_hand(model, batch, w, layer)
        assert by_hand.max() > 0
        torch.testing.assert_close(pair.maps[kind], by_hand, rtol=1e-3, atol=float(by_hand.max()) * 1e-4)
    assert pair.similarity == pytest.approx((expected["descriptor"][0] @ expected["descriptor"][1]).item(), abs=1e-5)


def test_a_match_map_is_the_slope_of_the_similarity() -> None:
    """The signed Grad-CAM of a branch sums, over all places, to what scaling its map changes; the kept positive part is at least that."""
    model = trained()
    batch, w = torch.randn(2, 3, 64, 32), torch.tensor([0.3, 0.6])
    ltn, pair = model.visual.apn.ltn, map_pair(model, batch, w)
    with torch.no_grad():
        descriptors = []
        for factor in (1.0, 1.01):
            hook = ltn.register_forward_hook(lambda _module, _inputs, out, factor=factor: out * factor)
            descriptors.append(model.head(model.visual(batch).v_a, model.attribute(batch).v_s, w).descriptor)
            hook.remove()
        slope = ((descriptors[1] - descriptors[0]) * descriptors[0].flip(0)).sum(1) / 0.01
    assert (pair.maps["visual_match"].mean((1, 2)) >= slope - 1e-3).all()


def test_similarity_and_its_parts_are_those_that_rank(tmp_path: Path) -> None:
    paths = project(tmp_path, trained())
    files = {"out": tmp_path / "e.parquet", "head": tmp_path / "head.safetensors"}
    embed_images(paths["images"], paths["quality"], paths["weights"], MODEL, RUNTIME, **files)
    map_activations(listed(tmp_path), **paths, config=MODEL, runtime=RuntimeConfig(threads=1, device="cpu", precision="bf16"), out=tmp_path / "m")
    table = read_parquet(tmp_path / "m", ACTIVATION_MAPS_SCHEMA).to_pylist()
    assert [(row["example"], row["role"], row["image_id"], row["other_id"]) for row in table[::4]] == [
        ("success", "query", "q/a.png", "g/b.png"),
        ("success", "gallery", "g/b.png", "q/a.png"),
        ("failure", "query", "q/ü b.png", "g/c.png"),
        ("failure", "gallery", "g/c.png", "q/ü b.png"),
    ]
    assert [row["kind"] for row in table] == [*KINDS] * 4
    embedded = {row["image_id"]: row for row in read_parquet(files["out"]).to_pylist()}
    head = ExportedHead.load(files["head"])
    for row in table:
        own, other = embedded[row["image_id"]], embedded[row["other_id"]]
        v_a, v_s = (np.array([image[name] for image in (own, other)], np.float32) for name in ("v_a", "v_s"))
        w = np.array([own["visual_weight"], other["visual_weight"]])
        parts = head.parts(v_a, v_s)
        descriptors = parts.at(w)
        assert row["similarity"] == pytest.approx(float(descriptors[0] @ descriptors[1]), abs=1e-5)
        assert row["visual_weight"] == pytest.approx(w[0])
        length = np.linalg.norm(w[0] * parts.visual[0] + (1 - w[0]) * parts.attribute[0])
        assert row["visual_part"] == pytest.approx(float(w[0] * parts.visual[0] @ descriptors[1] / length), abs=1e-5)
        assert len(row["values"]) == row["height"] * row["width"] == 4 * 2
    assert embedded["g/c.png"]["q"] is None and embedded["g/c.png"]["visual_weight"] != embedded["g/b.png"]["visual_weight"]


@pytest.mark.parametrize(("fixed", "empty", "full"), [(1.0, "attribute_match", "visual_match"), (0.0, "visual_match", "attribute_match")])
def test_a_branch_without_weight_contributes_nothing(tmp_path: Path, fixed: float, empty: str, full: str) -> None:
    config = configured(fixed=fixed)
    paths = project(tmp_path, trained(config))
    map_activations(listed(tmp_path, EXAMPLES[:1]), **paths, config=config, runtime=RUNTIME, out=tmp_path / "m")
    rows = read_parquet(tmp_path / "m").to_pylist()
    assert all(row["visual_part"] == pytest.approx(row["similarity"] if fixed == 1 else 0.0, abs=1e-6) for row in rows)
    assert [row["values"] for row in rows if row["kind"] == empty] == [[0.0] * 8] * 2
    assert max(max(row["values"]) for row in rows if row["kind"] == full) > 0


def test_no_gradient_gives_zeros_and_a_relu_no_parts() -> None:
    model = trained(configured(HeadConfig(dim=9, activation="relu")))
    nn.init.zeros_(model.head.fc.weight)
    pair = map_pair(model, torch.randn(2, 3, 64, 32), torch.tensor([0.3, 0.6]))
    assert pair.visual_part is None
    assert pair.similarity == pytest.approx(1, abs=1e-5)
    for kind in ("visual_match", "attribute_match"):
        assert torch.equal(pair.maps[kind], torch.zeros(2, 4, 2))


def test_the_model_is_left_as_it_was() -> None:
    model = trained()
    before = copy.deepcopy(model.state_dict())
    map_pair(model, torch.randn(2, 3, 64, 32), torch.tensor([0.3, 0.6]))
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())
    assert all(parameter.grad is None for parameter in model.parameters())
    assert not any(module._forward_hooks for module in model.modules())


def test_equal_input_gives_equal_bytes(tmp_path: Path) -> None:
    paths = project(tmp_path, trained())
    for name in ("one", "two"):
        map_activations(listed(tmp_path), **paths, config=MODEL, runtime=RUNTIME, out=tmp_path / name)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
    map_activations(listed(tmp_path, EXAMPLES[1:]), **paths, config=MODEL, runtime=RUNTIME, out=tmp_path / "last")
    assert read_parquet(tmp_path / "last").equals(read_parquet(tmp_path / "one").slice(8))


def test_a_gpu_may_not_round_to_tf32_in_a_bf16_run_either(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", True)
    runtime = RUNTIME.model_copy(update={"precision": "bf16"})
    map_activations(listed(tmp_path), **project(tmp_path, trained()), config=MODEL, runtime=runtime, out=tmp_path / "m")
    assert not torch.backends.cudnn.allow_tf32


@pytest.mark.parametrize("wanted", ["q/none.png", "g/junk.png"])
def test_an_unknown_image_is_named(tmp_path: Path, wanted: str) -> None:
    paths = project(tmp_path, trained())
    with pytest.raises(InputError, match=rf"images\.parquet: holds no image '{wanted}' that could be ranked, wanted as example 'success'"):
        map_activations(
            listed(tmp_path, [Example("success", "q/a.png", wanted, "")]),
            **paths,
            config=MODEL,
            runtime=RUNTIME,
            out=tmp_path / "m",
        )
    assert not (tmp_path / "m").exists()


def test_an_example_without_a_match_is_left_out(tmp_path: Path) -> None:
    examples = listed(tmp_path, [Example("success", "q/a.png", None, ""), EXAMPLES[1]])
    map_activations(examples, **project(tmp_path, trained()), config=MODEL, runtime=RUNTIME, out=tmp_path / "m")
    assert {row["example"] for row in read_parquet(tmp_path / "m").to_pylist()} == {"failure"}
