"""config/README.md says what the configuration classes and the presets say."""

import runpy
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, Field

from qafm.config.run import RunConfig


@pytest.fixture(scope="module")
def writer(project: Path) -> dict[str, Any]:
    return runpy.run_path(str(project / "workflow" / "write_config_reference.py"))


class Inner(BaseModel):
    """What may be there."""

    size: int = Field(default=3, ge=1, lt=9, description="a | b")
    path: str


class Outer(BaseModel):
    shares: tuple[Annotated[float, Field(gt=0, le=1)], ...] = (0.5,)
    pair: tuple[int, int] = (1, 2)
    mode: Literal["one", "two"] | None = Field(default=None, description="which")
    on: bool = False
    inner: Inner
    absent: Inner | None = None


def test_the_reference_is_in_step(project: Path, writer: dict[str, Any]) -> None:
    assert (project / "config" / "README.md").read_text() == writer["reference"](project / "config"), "run `make reference`"


def test_every_key_of_the_default_run_has_one_line(project: Path) -> None:
    text = (project / "config" / "README.md").read_text()
    for path in leaves(RunConfig):
        assert text.count(f"\n| `{path}` | ") == 1, path


def test_every_preset_is_named(project: Path) -> None:
    text = (project / "config" / "README.md").read_text()
    for preset in (project / "config").glob("*.yaml"):
        assert f"\n| `{preset.name}` | " in text


def leaves(model: type[BaseModel], prefix: str = "") -> list[str]:
    """Paths of all keys, from pydantic's JSON schema: another way than the writer's."""
    schema = model.model_json_schema()

    def walk(node: dict[str, Any], path: str) -> list[str]:
        options = [node, *node.get("anyOf", []), *node.get("allOf", [])]
        targets = [schema["$defs"][option["$ref"].split("/")[-1]] for option in options if "$ref" in option]
        inside = [target for target in targets if "properties" in target]
        if not inside:
            return [path]
        return [leaf for name, child in inside[0]["properties"].items() for leaf in walk(child, f"{path}.{name}")]

    return [leaf for name, child in schema["properties"].items() for leaf in walk(child, prefix + name)]


def test_lines_of_a_small_model(writer: dict[str, Any]) -> None:
    values = Outer(inner=Inner(size=4, path="data"), pair=(5, 6), on=True)
    assert [tuple(key) for key in writer["keys"](Outer, values)] == [
        ("shares", "list of float, > 0, <= 1", "[0.5]", ""),
        ("pair", "list of 2 int", "[5, 6]", ""),
        ("mode", "`one`, `two` or null", "null", "which"),
        ("on", "true or false", "true", ""),
        ("inner.size", "int, >= 1, < 9", "4", "a | b"),
        ("inner.path", "text", "data", ""),
        ("absent", "section or null", "null", "What may be there"),
        ("absent.size", "int, >= 1, < 9", "3", "a | b"),
        ("absent.path", "text", "(required)", ""),
    ]


def test_a_bar_does_not_end_a_cell(writer: dict[str, Any]) -> None:
    table = writer["_table"]("Heading", list(writer["keys"](Inner, None)))
    assert "| `size` | int, >= 1, < 9 | `3` | a \\| b |\n" in table
    assert "| `path` | text | (required) |  |\n" in table
