"""The network that is exported computes what the model computes."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from qafm.config.branches import ApanConfig
from qafm.config.fusion import HeadConfig
from qafm.errors import InputError
from qafm.export.descriptor_network import DescriptorNetwork
from qafm.features.embed_images import visual_weights
from qafm.images.network_input import normalize
from qafm.inference.model import ReidModel
from tests.unit.export.conftest import APAN, HEIGHT, WIDTH

Make = Callable[..., ReidModel]


def random_images(count: int) -> torch.Tensor:
    return torch.randint(0, 256, (count, 3, HEIGHT, WIDTH), dtype=torch.uint8, generator=torch.Generator().manual_seed(count))


def reference(model: ReidModel, images: torch.Tensor, w: torch.Tensor) -> torch.Tensor:
    network, pixels = model.bundle.model, normalize(images)
    return network.head(network.visual(pixels).v_a, network.attribute(pixels).v_s, w).descriptor


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"apan": APAN.model_copy(update={"heads": "single", "identity_head": False, "steps": 1})},
        {"apan": ApanConfig(pafm_channels=6, step_channels=0, gates=False, hidden_channels=4, embedding_dim=8)},
        {"head": HeadConfig(dim=6, activation="relu", normalize=False)},
        {"head": HeadConfig(dim=None)},
        {"fixed": 0.25},
    ],
)
def test_given_weights_make_the_model_s_descriptors(make_model: Make, settings: dict[str, object]) -> None:
    model, images, w = make_model(**settings), random_images(3), torch.tensor([0.0, 0.3, 1.0])
    with torch.no_grad():
        (found,) = DescriptorNetwork(model.bundle.model, "visual_weight")(images, w)
        torch.testing.assert_close(found, reference(model, images, w), atol=1e-6, rtol=1e-5)
    torch.testing.assert_close(found.norm(dim=1), torch.ones(3))
    assert (found[0] - found[2]).abs().max() > 0.01


def test_q_makes_the_weight_and_nan_that_of_the_mean(model: ReidModel) -> None:
    images, q = random_images(4), np.array([0.11, 0.13, 0.16, np.nan])
    w = torch.from_numpy(visual_weights(model.bundle.model, q, model.config.model())).float()
    with torch.no_grad():
        found, used = DescriptorNetwork(model.bundle.model, "q")(images, torch.from_numpy(q).float())
        torch.testing.assert_close(found, reference(model, images, w), atol=1e-6, rtol=1e-5)
    torch.testing.assert_close(used, w)
    assert used[3] == used[1] and len({round(float(x), 4) for x in used}) == 3


def test_the_model_itself_stays_as_it_was(model: ReidModel) -> None:
    before = {name: tensor.clone() for name, tensor in model.bundle.model.state_dict().items()}
    network = DescriptorNetwork(model.bundle.model, "visual_weight")
    after = model.bundle.model.state_dict()
    assert list(before) == list(after) and all(torch.equal(before[name], after[name]) for name in before)
    assert not any("classifier" in name or "horizontal" in name or "weight_mlp" in name for name in network.state_dict())
    assert not any(parameter.requires_grad for parameter in network.parameters())


def test_a_fixed_weight_is_not_made_of_q(make_model: Make) -> None:
    with pytest.raises(InputError, match="weight: this model's weight is fixed, it makes none of q; choose visual_weight"):
        DescriptorNetwork(make_model(fixed=0.5).bundle.model, "q")


@pytest.mark.parametrize("weight", ["Q", "", None])
def test_no_other_second_input(model: ReidModel, weight: Any) -> None:
    with pytest.raises(InputError, match=rf"^weight: {weight!r} is none of visual_weight, q$"):
        DescriptorNetwork(model.bundle.model, weight)
