from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from qafm.errors import InputError
from qafm.models.weights import load_into, load_part, load_weights, save_weights
from tests.full_disk import full_disk


def test_round_trip_with_provenance_and_equal_bytes(tmp_path: Path) -> None:
    tensors = {"b.weight": torch.randn(3, 2).T, "a": torch.arange(4)}
    for name in ("one", "two"):
        save_weights(tmp_path / f"{name}.safetensors", tensors, {"seed": 3, "config": {"x": 1}})
    loaded, provenance = load_weights(tmp_path / "one.safetensors")
    assert provenance == {"seed": 3, "config": {"x": 1}}
    assert all(torch.equal(loaded[name], tensor) for name, tensor in tensors.items())
    assert (tmp_path / "one.safetensors").read_bytes() == (tmp_path / "two.safetensors").read_bytes()


def test_a_full_disk_names_the_file_and_leaves_nothing(tmp_path: Path) -> None:
    with full_disk(left=20_000), pytest.raises(OSError, match=r"File too large: '.*/w\.safetensors'$"):
        save_weights(tmp_path / "w.safetensors", {"a": torch.ones(100_000)}, {})
    assert not list(tmp_path.iterdir())


def test_missing_and_damaged_files_are_named(tmp_path: Path) -> None:
    damaged = tmp_path / "damaged.safetensors"
    damaged.write_bytes(b"not weights at all")
    for path in (damaged, tmp_path / "missing.safetensors"):
        with pytest.raises(InputError, match=f"{path.name}: cannot be read as weights"):
            load_weights(path)


def test_a_header_that_is_no_json_is_named(tmp_path: Path) -> None:
    save_file({"a": torch.zeros(1)}, tmp_path / "w.safetensors", metadata={"provenance": "{"})
    with pytest.raises(InputError, match=r"w\.safetensors: cannot be read as weights"):
        load_weights(tmp_path / "w.safetensors")


def test_part_must_fit_strictly(tmp_path: Path) -> None:
    module = torch.nn.Linear(2, 3)
    tensors = {f"head.{name}": tensor for name, tensor in torch.nn.Linear(2, 3).state_dict().items()}
    load_part(module, tensors | {"other.x": torch.zeros(1)}, "head", tmp_path / "w")
    assert torch.equal(module.weight, tensors["head.weight"])
    with pytest.raises(InputError, match="w: does not fit the 'head' of the configured model"):
        load_part(torch.nn.Linear(2, 4), tensors, "head", tmp_path / "w")
    del tensors["head.bias"]
    with pytest.raises(InputError, match="does not fit"):
        load_part(module, tensors, "head", tmp_path / "w")


def test_what_does_not_fit_begins_with_the_first_difference_and_stays_short() -> None:
    module = torch.nn.Sequential(*(torch.nn.Linear(2, 2) for _ in range(100)))
    tensors = {"199.weight": torch.zeros(3), "0.weight": torch.zeros(3, 2)}
    with pytest.raises(InputError, match=r'^w: does not fit the network \(Missing key\(s\) in state_dict: "0\.bias", "1\.weight"') as caught:
        load_into(module, tensors, Path("w"), "the network")
    assert len(str(caught.value)) < 250
