"""Reads architecture.json, what `describe_model` measured on the built networks."""

from pathlib import Path
from typing import Any

from qafm.errors import InputError, reading
from qafm.runtime.files import read_json

KEYS = {"blocks", "parameters", "attribute_groups", "input", "num_ids", "config"}


class ModelDescription:
    """Shapes and parameter counts by module name.

    Args:
        content: that of architecture.json.
    """

    def __init__(self, content: dict[str, Any]) -> None:
        self.blocks: dict[str, dict[str, Any]] = content["blocks"]
        self.totals: dict[str, dict[str, int]] = content["parameters"]
        self.attribute_groups: dict[str, int] = content["attribute_groups"]
        self.inputs: dict[str, list[int]] = content["input"]
        self.num_ids: int = content["num_ids"]
        self.config: dict[str, Any] = content["config"]

    def within(self, name: str) -> list[dict[str, Any]]:
        """The block of this name, or those of the module of this name."""
        return [block for key, block in self.blocks.items() if key == name or key.startswith(f"{name}.")]

    def has(self, name: str) -> bool:
        """Whether there is a block of this name, or one within it."""
        return bool(self.within(name))

    def parameters(self, *names: str) -> int:
        """Parameters of these modules, each with all its blocks."""
        return sum(block["parameters"] for name in names for block in self.within(name))

    def run(self, name: str) -> list[dict[str, Any]]:
        """The blocks of a module that an image of this size runs through."""
        return [block for block in self.within(name) if block["calls"]]

    def output(self, name: str) -> list[int]:
        """Output shape of a block, without the batch axis."""
        return self.blocks[name]["output"]

    def input(self, name: str) -> list[int]:
        """Shape of what a block is given, without the batch axis."""
        return self.blocks[name]["input"]


def read_description(path: Path) -> ModelDescription:
    """Read architecture.json.

    Raises:
        InputError: the file cannot be read, is no JSON, or lacks a key.
    """
    with reading(path, "cannot be read as the description of a model"):
        content = read_json(path)
    missing = sorted(KEYS - set(content)) if isinstance(content, dict) else sorted(KEYS)
    if missing:
        raise InputError(f"{path}: is no description of a model, it lacks {', '.join(missing)}")
    return ModelDescription(content)


def network_name(name: str) -> str:
    """resnet50 as it is written in a figure: ResNet-50."""
    return name.replace("resnet", "ResNet-")
