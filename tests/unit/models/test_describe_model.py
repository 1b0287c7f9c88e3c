"""architecture.json against the modules themselves: every count and every shape."""

import json
from pathlib import Path

import pyarrow as pa
import pytest
import torch
from torch import nn

from qafm.config.backbone import BackboneConfig
from qafm.config.branches import ApanConfig, ApnConfig
from qafm.config.fusion import AlphaConfig, ArchitectureConfig, HeadConfig, TrainFusionConfig
from qafm.errors import InputError
from qafm.models.convlstm import ConvLstmCell
from qafm.models.describe_model import count_train_ids, describe_model
from qafm.models.qafm import Qafm
from qafm.models.reid_baseline import ReidBaseline
from qafm.models.weight_mlp import WeightMlp
from qafm.tables.parquet import write_parquet

SMALL_BACKBONE = BackboneConfig(name="resnet10", last_stride=1, height=64, width=32)
SMALL_APN = ApnConfig(mfpm_channels=8, decoder_channels=(6, 5), lam_channels=(4, 12), embedding_dim=10, horizontal_stripes=2, vertical_stripes=1)
SMALL_APAN = ApanConfig(pafm_channels=6, step_channels=5, hidden_channels=4, embedding_dim=8)
SMALL = ArchitectureConfig(backbone=SMALL_BACKBONE, apn=SMALL_APN, apan=SMALL_APAN)
SMALL_FUSION = TrainFusionConfig(head=HeadConfig(dim=9))
SMALL_EXTRACTOR = BackboneConfig(name="resnet18", height=96, width=48)
PAPER = ArchitectureConfig(backbone=BackboneConfig(), apn=ApnConfig(), apan=ApanConfig())
ORIGINAL = ArchitectureConfig(
    backbone=BackboneConfig(),
    apn=ApnConfig(decoder_channels=(512, 512, 256, 128, 64, 1), decoder_kernel=3, decoder_last_linear=True, horizontal_stripes=0, vertical_stripes=0),
    apan=ApanConfig(step_channels=0, gates=False, steps=1, heads="single", identity_head=False),
)
ORIGINAL_FUSION = TrainFusionConfig(gradients="original", head=HeadConfig(dim=1024, activation="relu", normalize=False))
CASES = {
    "small": (SMALL, SMALL_FUSION, SMALL_EXTRACTOR, 7),
    "single": (
        SMALL.model_copy(update={"apan": SMALL_APAN.model_copy(update={"heads": "single", "steps": 1, "gates": False, "step_channels": 0})}),
        TrainFusionConfig(alpha=AlphaConfig(fixed=0.3), head=HeadConfig(dim=5, activation="relu")),
        SMALL_BACKBONE,
        3,
    ),
    "paper": (PAPER, TrainFusionConfig(), BackboneConfig(), 751),
    "original": (ORIGINAL, ORIGINAL_FUSION, BackboneConfig(), 751),
}


def describe(folder: Path, case: tuple) -> dict:
    describe_model(*case, folder / "architecture.json")
    return json.loads((folder / "architecture.json").read_text())


def build(case: tuple, device: str) -> nn.ModuleDict:
    """The same networks, built once more."""
    architecture, fusion, extractor, num_ids = case
    with torch.device(device):
        mlp = WeightMlp(mean=0.5, sd=0.1, start_weight=0.4) if fusion.alpha.fixed is None else None
        model = Qafm(architecture, fusion.head, num_ids, mlp).eval()
        return nn.ModuleDict({"qafm": model, "extractor": ReidBaseline(backbone=extractor, num_ids=num_ids).eval()})


def parameters_of(networks: nn.ModuleDict) -> dict[str, int]:
    """Name in architecture.json -> number of elements, of each single parameter."""
    names = {name.removeprefix("qafm."): parameter.numel() for name, parameter in networks.named_parameters()}
    assert len(names) == len(list(networks.parameters()))
    return names


@pytest.mark.parametrize("name", CASES)
def test_each_parameter_is_counted_once(name: str, tmp_path: Path) -> None:
    said, networks = describe(tmp_path, CASES[name]), build(CASES[name], "meta")
    left = parameters_of(networks)
    for block, entry in said["blocks"].items():
        own = [parameter for parameter in left if parameter == block or parameter.startswith(f"{block}.")]
        assert entry["parameters"] == sum(left.pop(parameter) for parameter in own), block
    assert left == {}
    model = networks["qafm"]
    totals = said["parameters"]
    parts = {"visual": model.visual, "attribute": model.attribute, "head": model.head, "qafm": model, "extractor": networks["extractor"]}
    for part, module in parts.items():
        assert totals[part]["all"] == sum(p.numel() for p in module.parameters()), part
    assert totals["qafm"]["all"] == sum(totals[part]["all"] for part in ("visual", "attribute", "head", "weight_mlp"))


@pytest.mark.parametrize("name", ["small", "single"])
def test_shapes_are_those_of_a_real_forward_pass(name: str, tmp_path: Path) -> None:
    architecture, fusion, extractor, _ = case = CASES[name]
    said, networks = describe(tmp_path, case), build(case, "cpu")
    seen: dict[str, list] = {}

    def watch(block: str) -> None:
        def hook(_module: nn.Module, inputs: tuple, output: object) -> None:
            first = output if isinstance(output, torch.Tensor) else output[0]  # type: ignore[index]
            seen.setdefault(block, []).append([list(inputs[0].shape[1:]), list(first.shape[1:])])

        root = networks if block.startswith("extractor.") else networks["qafm"]
        root.get_submodule(block).register_forward_hook(hook)

    modules = [block for block, entry in said["blocks"].items() if entry["kind"] != "Parameter"]
    for block in modules:
        watch(block)
    model = networks["qafm"]
    with torch.no_grad():
        images = torch.randn(2, 3, architecture.backbone.height, architecture.backbone.width)
        visual, attribute = model.visual(images), model.attribute(images)
        w = torch.full((2,), 0.4) if model.weight_mlp is None else model.weight_mlp.weight(torch.tensor([0.4, 0.6]))
        model.head(visual.v_a, attribute.v_s, w)
        networks["extractor"](torch.randn(2, 3, extractor.height, extractor.width))
    for block in modules:
        entry = said["blocks"][block]
        assert entry["calls"] == len(seen[block]), block
        assert [entry["input"], entry["output"]] == seen[block][-1], block
    cells = [block for block in modules if isinstance(model.get_submodule(block) if not block.startswith("extractor.") else None, ConvLstmCell)]
    assert cells == ["attribute.apan.cell"]
    assert said["blocks"]["attribute.apan.cell"]["calls"] == architecture.apan.steps
    assert ("weight_mlp" in said["blocks"]) == (fusion.alpha.fixed is None)


def test_the_original_has_its_known_counts(tmp_path: Path) -> None:
    said = describe(tmp_path, CASES["original"])
    blocks, totals = said["blocks"], said["parameters"]
    counts = {name: blocks[name]["parameters"] for name in blocks}
    assert (counts["visual.apn.mfpm"], counts["visual.apn.ltn"], counts["weight_mlp"]) == (40_104_896, 13_126_800, 97)
    assert (counts["attribute.apan.pafm"], counts["attribute.apan.cell"]) == (16_651_776, 21_234_688)
    assert counts["attribute.backbone"] == counts["extractor.trunk"] == 23_508_032
    assert counts["visual.backbone"] == 23_508_032 - 14_964_736  # no layer4
    assert counts["head.fc"] + counts["head.fc_norm"] == 2_100_224 and counts["head.neck.classifier"] == 769_024
    assert totals["qafm"]["all"] + 14_964_736 == 142_602_033
    assert totals["qafm"]["identity_classifiers"] == 1024 * 751 * 2  # APN's and the fused one; the attribute classifier is none
    assert said["blocks"]["attribute.apan.single_head.classifier"]["output"] == [30]


def test_the_paper_has_its_known_shapes(tmp_path: Path) -> None:
    said = describe(tmp_path, CASES["paper"])
    shapes = {name: entry["output"] for name, entry in said["blocks"].items()}
    assert shapes["visual.backbone"] == [1024, 24, 8] and shapes["attribute.backbone"] == [2048, 12, 4]
    assert shapes["visual.apn.ltn"] == [512, 24, 8] and shapes["visual.apn.embed"] == shapes["attribute.apan.embed"] == [1024]
    assert said["blocks"]["head.fc"]["input"] == [2048] and shapes["head.fc"] == [1000] and shapes["weight_mlp"] == []
    assert said["blocks"]["extractor.neck.norm"]["input"] == [2048]
    totals = said["parameters"]["qafm"]
    assert totals["identity_classifiers"] == 751 * (1024 + 4 * 512 + 1024 + 1000)
    assert totals["without_identity_classifiers"] == totals["all"] - totals["identity_classifiers"]
    groups = said["attribute_groups"]
    assert (groups["age"], groups["up_color"], groups["down_color"]) == (4, 8, 9) and sum(groups.values()) == 30 and len(groups) == 12
    assert said["num_ids"] == 751


def test_the_settings_are_told(tmp_path: Path) -> None:
    said = describe(tmp_path, CASES["small"])
    architecture, fusion, extractor, _ = CASES["small"]
    assert said["config"]["architecture"] == architecture.model_dump(mode="json")
    assert said["config"]["extractor"] == extractor.model_dump(mode="json")
    assert said["config"]["fusion"] == {key: fusion.model_dump(mode="json")[key] for key in ("gradients", "head", "alpha", "loss")}
    assert said["input"] == {"branches": [3, 64, 32], "extractor": [3, 96, 48]}


def test_a_stripe_classifier_without_a_stripe_rests(tmp_path: Path) -> None:
    tall = SMALL.model_copy(update={"apn": SMALL_APN.model_copy(update={"horizontal_stripes": 6})})  # layer3 of 64 pixels is 4 high
    blocks = describe(tmp_path, (tall, SMALL_FUSION, SMALL_EXTRACTOR, 7))["blocks"]
    assert [blocks[f"visual.apn.horizontal.{i}.classifier"]["calls"] for i in range(6)] == [1, 1, 1, 1, 0, 0]
    resting = blocks["visual.apn.horizontal.5.classifier"]
    assert resting["input"] is resting["output"] is None and resting["parameters"] == 12 * 7


def test_the_random_state_and_the_device_stay(tmp_path: Path) -> None:
    before = torch.get_rng_state()
    describe(tmp_path, CASES["small"])
    assert torch.equal(before, torch.get_rng_state())
    assert torch.zeros(1).device.type == "cpu" and torch.is_grad_enabled()


def test_equal_input_gives_equal_bytes(tmp_path: Path) -> None:
    describe(tmp_path / "one", CASES["small"]), describe(tmp_path / "two", CASES["small"])
    assert (tmp_path / "one/architecture.json").read_bytes() == (tmp_path / "two/architecture.json").read_bytes()


def test_identities_are_those_the_classifiers_know(tmp_path: Path) -> None:
    rows = [(3, "fit", False), (3, "fit", False), (9, "fit", False), (4, "holdout", False), (7, None, False), (8, "fit", True)]
    pids, folds, junk = zip(*rows, strict=True)
    table = pa.table({"pid": pa.array(pids, pa.int32()), "fold": pa.array(folds, pa.string()), "junk": pa.array(junk)})
    write_parquet(tmp_path / "images.parquet", table)
    assert count_train_ids(tmp_path / "images.parquet") == 2
    write_parquet(tmp_path / "none.parquet", table.slice(3))
    with pytest.raises(InputError, match=r"none\.parquet: has no train image"):
        count_train_ids(tmp_path / "none.parquet")
