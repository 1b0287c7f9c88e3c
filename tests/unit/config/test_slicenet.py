"""What SliceNet's settings refuse, and what the rules are handed."""

from typing import Any

import pytest
from pydantic import ValidationError

from qafm.config.sliced_net import NetworkConfig
from qafm.config.slicenet import NETWORKS, SlicenetConfig, System


def config(**changes: Any) -> SlicenetConfig:
    return SlicenetConfig.model_validate(changes)


def system(**changes: Any) -> dict[str, Any]:
    return {"flip": True, "epochs": 60, "seeds": [1]} | changes


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"height": 120}, "input 120 x 48 in 4 slices: height must be a multiple of 8 x slices"),
        ({"width": 50}, "input 128 x 50 in 4 slices"),
        ({"slices": 3, "height": 120}, "128 of slices"),
        ({"compared": ["slicenet1", "slicenet1"]}, "compared: slicenet1 with itself"),
        ({"systems": {"slicenet2": system(seeds=[])}}, "systems.slicenet2.seeds: is empty, but compared or sign_of names it"),
        ({"systems": {"baseline_aug": system(seeds=[])}}, "systems.baseline_aug.seeds: is empty"),
        ({"systems": {"slicenet1": system(seeds=[2, 2])}}, "a seed appears twice"),
        ({"systems": {"slicenet1": system(seeds=[-1])}}, "greater than or equal to 0"),
        (
            {"systems": {"baseline": system(flip=False, epochs=70), "baseline_aug_same_steps": system(epochs=30)}},
            "baseline_aug_same_steps: must see as many images as systems.baseline",
        ),
        ({"systems": {"other": system()}}, "no such key"),
        ({"batch_size": 1}, "greater than or equal to 3"),
    ],
)
def test_bad_values(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        config(**changes)


def test_bignet_has_one_slice() -> None:
    assert NetworkConfig().slices == 1
    with pytest.raises(ValidationError, match="bignet has one slice"):
        NetworkConfig(network="bignet", slices=4)
    assert [config(slices=2).network(name).slices for name in ("bignet", "slicenet1", "slicenet2")] == [1, 2, 2]


def test_every_system_has_a_network() -> None:
    assert list(NETWORKS) == list(System.__args__) == list(SlicenetConfig().systems.model_dump())  # type: ignore[attr-defined]


def test_slices_of_the_rules() -> None:
    found = config(height=64, width=32, slices=2, dropout=0.1, batch_size=8, lr=0.01, check_every=7, systems={"slicenet1": system(epochs=9, flip=False)})
    assert found.training("slicenet1").model_dump() == {
        "network": {"network": "slicenet1", "height": 64, "width": 32, "slices": 2, "dropout": 0.1},
        "flip": False,
        "epochs": 9,
        "batch_size": 8,
        "lr": 0.01,
        "check_every": 7,
    }
    assert found.network_of("slicenet2_long_sign").network == found.network_of("slicenet2").network == "slicenet2"


def test_rows() -> None:
    systems = {"baseline": system(flip=False), "slicenet1": system(seeds=[]), "slicenet2": system(seeds=[4, 5]), "slicenet2_long": system(epochs=200)}
    found = config(systems=systems, foreign={"file": "w.pth", "network": "slicenet1"})
    trained = [("baseline", 1), ("baseline_aug", 1), ("slicenet2", 4), ("slicenet2", 5), ("slicenet2_long", 1)]
    assert found.trained() == trained
    assert found.evaluated() == [*trained, ("slicenet2_sign", 4), ("slicenet2_sign", 5), ("foreign", 0)]
    assert config(sign_of=None).evaluated() == config(sign_of=None).trained()
    assert found.network_of("foreign").network == "slicenet1"


def test_descriptions() -> None:
    found = config(foreign={"file": "w.pth", "network": "slicenet1"})
    assert found.describe("baseline") == "BigNet, last of 60 epochs"
    assert found.describe("slicenet2_long") == "SliceNet2, with mirrored copies, last of 200 epochs"
    assert found.describe("slicenet2_sign") == "SliceNet2, with mirrored copies, last of 60 epochs, sign of each value"
    assert found.describe("foreign") == "SliceNet1, weights of w.pth"
