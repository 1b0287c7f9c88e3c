"""Counts of what a descriptor costs, against sums by hand, and the clock."""

import json
from functools import partial
from itertools import combinations, count
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from qafm.companions.comparison import time_inference as time_module
from qafm.companions.comparison.compared_models import build_compared
from qafm.companions.comparison.describe_compared import Curves, count_costs, describe_compared, parameters_behind
from qafm.companions.comparison.time_inference import measure, time_inference
from qafm.config.backbone import BackboneConfig
from qafm.config.bpbreid import PartBackboneConfig, PartModelConfig, PartsConfig
from qafm.config.branches import ApanConfig, ApnConfig
from qafm.config.common_recipe import CommonNetworkConfig, SiameseHead, SlicedHead
from qafm.config.compared import (
    CommonNetwork,
    ComparedNetwork,
    ComparedSystem,
    ComparedTraining,
    FusedNetwork,
    PartNetwork,
    PlainNetwork,
    SlicedNetwork,
    Start,
)
from qafm.config.fusion import ArchitectureConfig, HeadConfig
from qafm.config.perturb import PerturbConfig
from qafm.config.q_network import QNetwork
from qafm.config.quality import QualityConfig
from qafm.config.sliced_net import NetworkConfig
from qafm.features.new_images import q_of
from qafm.images.network_input import normalize, to_input
from qafm.models.qafm import Qafm
from qafm.models.reid_baseline import ReidBaseline
from qafm.perturbations.stack import perturb
from tests.unit.companions.par.conftest import RUNTIME

BACKBONE = BackboneConfig(name="resnet10", last_stride=1, channels=16, init="random", height=64, width=32)
EXTRACTOR = BackboneConfig(name="resnet10", last_stride=2, channels=16, init="random", height=32, width=16)
ARCHITECTURE = ArchitectureConfig(
    backbone=BACKBONE,
    apn=ApnConfig(mfpm_channels=8, decoder_channels=(8,), lam_channels=(8, 8), embedding_dim=12),
    apan=ApanConfig(pafm_channels=4, step_channels=4, hidden_channels=4, embedding_dim=10),
)
Q = QNetwork(extractor=EXTRACTOR, perturb=PerturbConfig(), quality=QualityConfig())


def fused(part: str = "both", *, learned: bool = True, q: QNetwork | None = Q) -> FusedNetwork:
    return FusedNetwork.model_validate({"part": part, "architecture": ARCHITECTURE, "head": HeadConfig(dim=6), "learned": learned, "q": q})


def costs(network: ComparedNetwork, size: tuple[int, int] = (64, 32)) -> dict[str, int]:
    return dict(count_costs(build_compared(network), *size))


def numel(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def convolutions(trunk: nn.Module, height: int, width: int) -> int:
    """Operations of all convolutions and linear layers of a network for one image, by hooks: two for each weight and place of the output."""
    total = 0

    def count(module: nn.Module, _inputs: object, output: torch.Tensor) -> None:
        nonlocal total
        assert isinstance(module, nn.Conv2d | nn.Linear)
        total += 2 * module.weight.numel() * output[0].numel() // output.shape[1]

    hooks = [module.register_forward_hook(count) for module in trunk.modules() if isinstance(module, nn.Conv2d | nn.Linear)]
    with torch.no_grad():
        trunk(torch.zeros(1, 3, height, width))
    for hook in hooks:
        hook.remove()
    return total


def test_a_plain_network_costs_its_convolutions_and_the_parameters_behind_its_descriptor() -> None:
    model = ReidBaseline(backbone=BACKBONE, num_ids=9).eval()
    found = costs(PlainNetwork(backbone=BACKBONE, copies=1))
    assert found == {"flops": convolutions(model.trunk, 64, 32), "parameters": numel(model.trunk) + 128, "descriptor_length": 128}  # the neck's scale
    assert costs(PlainNetwork(backbone=BACKBONE, copies=2)) == {name: 2 * count for name, count in found.items()}


def test_qafm_needs_the_extractor_once_for_each_variant() -> None:
    with_q, without = costs(fused()), costs(fused(learned=False, q=None))
    extractor = ReidBaseline(backbone=EXTRACTOR, num_ids=1).eval().trunk
    mlp = 2 * 32 + 2 * 32
    assert with_q["flops"] == without["flops"] + mlp + 35 * convolutions(extractor, 32, 16)
    assert with_q["parameters"] == without["parameters"] + 97 + numel(extractor)
    assert with_q["descriptor_length"] == without["descriptor_length"] == 6
    fewer = Q.model_copy(update={"perturb": PerturbConfig(light_offsets=(), background_colors=())})
    assert costs(fused(q=fewer))["flops"] == without["flops"] + mlp + 23 * convolutions(extractor, 32, 16)


def test_a_branch_costs_itself_alone_and_heads_do_not_count() -> None:
    model = Qafm(ARCHITECTURE, HeadConfig(dim=6), 3, None)
    visual, attribute, both = (costs(fused(part, learned=False, q=None)) for part in ("visual", "attribute", "both"))
    assert (visual["descriptor_length"], attribute["descriptor_length"]) == (12, 10)
    stripes = sum(map(numel, (model.visual.apn.horizontal, model.visual.apn.vertical)))
    assert visual["parameters"] == numel(model.visual) - stripes - 12 - 3 * 12  # the neck's frozen shift, its classifier
    heads, neck = model.attribute.apan.heads, model.attribute.apan.neck
    assert heads is not None and neck is not None
    assert attribute["parameters"] == numel(model.attribute) - numel(heads) - 10 - 3 * 10
    fusion = 6 * 22 + 6
    assert both["parameters"] == visual["parameters"] - 12 + attribute["parameters"] - 10 + fusion  # own necks are for own descriptors
    assert both["flops"] == visual["flops"] + attribute["flops"] + 2 * 6 * 22


def test_companions() -> None:
    siamese = costs(CommonNetwork(network=CommonNetworkConfig(backbone=BACKBONE, head=SiameseHead(dim=7))))
    trunk = ReidBaseline(backbone=BACKBONE, num_ids=1).eval().trunk
    own = convolutions(trunk, 64, 32)
    assert siamese == {"flops": own + 2 * 7 * 128, "parameters": numel(trunk) + 7 * 129, "descriptor_length": 7}
    sliced = costs(CommonNetwork(network=CommonNetworkConfig(backbone=BACKBONE, head=SlicedHead(network="slicenet2", slices=2))))
    dense = 128 * 2 * 2 * 64  # a strip of the 4 x 2 map, half the descriptor
    assert sliced == {"flops": own + 2 * 2 * dense, "parameters": numel(trunk) + dense + 3 * 64, "descriptor_length": 128}
    as_published = costs(SlicedNetwork(network=NetworkConfig(network="slicenet2", slices=4)), (128, 48))
    assert (as_published["parameters"], as_published["descriptor_length"]) == (803520, 128)
    parts = PartModelConfig(backbone=PartBackboneConfig(name="resnet10", channels=16, init="random", height=64, width=32), parts=PartsConfig(stripes=3, dim=5))
    for foreground, length in ((True, 20), (False, 15)):
        found = costs(PartNetwork(model=parts, variant="stripes", foreground=foreground))
        reduction = 128 * 5 + 2 * 5
        assert found["descriptor_length"] == length
        assert found["parameters"] == numel(trunk) + reduction + ((reduction + 5) if foreground else 0)
    learned = costs(PartNetwork(model=parts, variant="learned", foreground=True))
    assert learned["descriptor_length"] == 30  # five_v
    assert learned["parameters"] == numel(trunk) + 2 * reduction + 5 + 2 * 128 + 6 * 129  # the pixel classifier's norm and convolution


def test_what_the_output_does_not_depend_on_is_not_counted() -> None:
    layers = nn.ModuleList([nn.Linear(2, 3), nn.Linear(3, 4), nn.Linear(3, 5)])
    layers[0].bias.requires_grad_(False)
    assert parameters_behind(layers[1](layers[0](torch.ones(1, 2))), layers) == 6 + 16


@torch.no_grad()
def slow_q(picture: np.ndarray, q: QNetwork, extractor: ReidBaseline) -> float:
    """Eq. 1, variant by variant and pair by pair."""
    vectors = []
    for variant in perturb(picture, "", q.perturb):
        feature = extractor(normalize(to_input(variant[None], q.extractor.height, q.extractor.width))).feature[0].double().numpy()
        vectors.append(feature / np.sqrt((feature**2).sum()) if q.quality.normalize == "l2" else feature)
    pairs = combinations(range(len(vectors)), 2)
    return float(np.mean([np.sqrt(((vectors[i] - vectors[j]) ** 2).sum()) for i, j in pairs if i == 0 or q.quality.mode == "all_pairs"]))


@pytest.mark.parametrize("quality", [QualityConfig(), QualityConfig(normalize="none", mode="reference")])
def test_q_is_that_of_stages_2_to_4(quality: QualityConfig) -> None:
    network = QNetwork(extractor=EXTRACTOR, perturb=PerturbConfig(light_offsets=(-45, 45), occlusion_sizes=()), quality=quality)
    built = build_compared(fused(q=network))
    assert built.extractor is not None
    picture = np.random.default_rng(1).integers(0, 256, (40, 22, 3), dtype=np.uint8)
    found = q_of(picture, "", built.extractor, torch.device("cpu"), RUNTIME)
    assert found == pytest.approx(slow_q(picture, network, built.extractor.model), rel=1e-4) and found > 0


def system(key: str, network: ComparedNetwork, **more: object) -> ComparedSystem:
    start = Start(init="random", backbone="resnet10", size=(64, 32), extractor=False)
    plain = {"key": key, "system": key, "recipes": {"own": ""}, "seeds": (1, 2), "artifact": ("model", "", "x.json"), "experiment": key, "trainings": ()}
    return ComparedSystem.model_validate({**plain, "start": start, "network": network, **more})


def test_all_counts_in_one_file(tmp_path: Path) -> None:
    histories = []
    for name, seen in (("a", 12), ("b", 14)):
        path = tmp_path / f"{name}.csv"
        path.write_text(f"epoch,images_seen\n1,6\n2,{seen}\n")
        histories.append(path)
    trainings = [
        ComparedTraining(folder=("slicenet", "x"), record=("slicenet", "x", "y")),
        ComparedTraining(folder=("model", "x"), record=("model", "", "y")),
    ]
    described = system("twins", PlainNetwork(backbone=BACKBONE, copies=2), trainings=trainings)
    describe_compared([Curves(described, [histories, histories])], tmp_path / "counts.json")
    content = json.loads((tmp_path / "counts.json").read_text())["twins"]
    assert content["trainings"] == [{"epochs": [2, 2], "images_seen": [12, 14]}, {"epochs": [2, 2], "images_seen": [12, 14]}]
    assert content["descriptor_length"] == 256 and content["flops"] > 0
    before = (tmp_path / "counts.json").read_bytes()
    describe_compared([Curves(described, [histories, histories])], tmp_path / "counts.json")
    assert (tmp_path / "counts.json").read_bytes() == before


def test_the_median_of_repeats_counts_and_slow_work_is_repeated_less() -> None:
    def clock(durations: list[float]) -> list[float]:
        times = [0.0]
        for duration in durations:
            times += [times[-1], times[-1] + duration]
        return times[1:]

    def measured(durations: list[float], repeats: int) -> tuple[float, int]:
        calls, ticks = [], iter(clock(durations))
        value = measure(lambda: calls.append(1), repeats, lambda: next(ticks))
        return value, len(calls)

    assert measured([3.0, 1.0, 2.0, 9.0, 2.0], 5) == (2.0, 6)  # the first run does not count
    assert measured([40.0, 20.0, 30.0], 20) == (30.0, 4)  # three, whatever they take
    assert measured([9.0, 9.0, 9.0, 9.0], 20) == (9.0, 5)  # over 30 s


def test_every_system_is_timed_one_by_one_and_in_batches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pictures: list[int] = []
    monkeypatch.setattr(time_module, "q_of", lambda picture, *_: (pictures.append(len(picture)), 0.5)[1])
    systems = [system("plain", PlainNetwork(backbone=BACKBONE, copies=1)).timed(), system("qafm", fused()).timed()]
    time_inference(systems, 3, 3, RUNTIME, tmp_path / "times.json")
    assert len(pictures) == (1 + 3) * (1 + 3)  # Q of each image of QAFM's batches of 1 and of 3, 3 times and once beforehand
    content = json.loads((tmp_path / "times.json").read_text())
    assert (content["device"], content["batch"], sorted(content["ms_per_image"])) == ("cpu", 3, ["plain", "qafm"])
    assert all(len(times) == 2 and min(times) > 0 for times in content["ms_per_image"].values())


def test_a_time_is_that_of_one_image_in_milliseconds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ticks = count(0, 6)  # whatever runs takes 6 s
    monkeypatch.setattr(time_module, "measure", partial(measure, clock=lambda: float(next(ticks))))
    time_inference([system("plain", PlainNetwork(backbone=BACKBONE, copies=1)).timed()], 4, 3, RUNTIME, tmp_path / "times.json")
    assert json.loads((tmp_path / "times.json").read_text())["ms_per_image"] == {"plain": [6000.0, 1500.0]}


@pytest.mark.parametrize("batch", [1, 2])
def test_descriptors_have_length_1_whatever_is_built(batch: int) -> None:
    torch.manual_seed(0)
    parts = PartModelConfig(backbone=PartBackboneConfig(name="resnet10", channels=16, init="random", height=64, width=32), parts=PartsConfig(dim=64))
    pixels, q = torch.randint(0, 256, (batch, 3, 64, 32), dtype=torch.uint8), torch.zeros(batch)
    for network, norm in ((fused(), 1), (PlainNetwork(backbone=BACKBONE, copies=2), 1), (PartNetwork(model=parts, variant="masks", foreground=True), 6**0.5)):
        with torch.no_grad():
            found = build_compared(network).describe(pixels, q)
        torch.testing.assert_close(found.norm(dim=1), torch.full((batch,), float(norm)))
