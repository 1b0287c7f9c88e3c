"""Write config/README.md, the table of every key, from the configuration classes: `make reference` runs it, a test checks that both agree.

usage: write_config_reference.py FOLDER REFERENCE     (FOLDER holds config.yaml and the presets)
"""

import sys
from collections.abc import Iterator
from itertools import takewhile
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, get_args, get_origin

import yaml
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from qafm.config.run import RunConfig, load_run_config

HEADER = """\
<!-- Generated from qafm/config/ and the presets beside it by `make reference`: do not edit. -->
# Configuration

`config/config.yaml` is the default run and is always loaded. A preset is a second YAML file that names only what it changes; mappings are merged
key by key, lists and values are replaced. Targets come before `--configfile`, which takes every word that follows it:

```
snakemake results/table4.csv --cores 8 --configfile config/col780.yaml
make table4 CONFIG=config/col780.yaml
```

{presets}
- Unknown keys and wrong values end the run before anything is computed, in one line that names the key.
- Results lie in `results/<dataset.name>/<features.name>/<model.name>/`. A change reruns the stages that see it and overwrites their results; give the
  section another name to keep the old ones. All `*.yaml` in this folder are checked at every start: two that differ in a section but share its name
  are refused.
- Paths are relative to the project's root, or absolute.

*Default* is the value in the default run. *null* switches off or leaves open; *(required)* below a section that may be null: where the section is given.
The equation and section numbers are the paper's; docs/method.md explains the method's switches.
"""
SECTIONS = {  # path -> heading; a key belongs to the longest path that leads to it
    "seeds": "Every stage: seeds",
    "runtime": "Every stage: the machine",
    "dataset": "Stage 1: data set",
    "dataset.synthetic": "Stage 1: the generator (`dataset.kind: synthetic`)",
    "dataset.market1501": "Stage 1: Market-1501 (`dataset.kind: market1501`)",
    "dataset.folders": "Stage 1: your own folders (`dataset.kind: folders`)",
    "dataset.test": "Stage 1: another set to test on",
    "perturb": "Stage 2: perturbations",
    "features": "Stage 3: extractor and features",
    "quality": "Stage 4: Q(I)",
    "model": "Stages 5 and 6: name and backbone of the branches",
    "model.apn": "Stage 5: APN",
    "model.apan": "Stage 5: APAN",
    "model.fusion": "Stage 6: fusion",
    "model.baseline": "Stage 5: the plain network beside both branches",
    "ablation": "Stage 7: Table 4",
    "rerank": "Stage 7: re-ranking",
    "calibration": "Stage 7: the probability of a match",
    "degradations": "Stages 6 and 7: degraded queries",
    "controls": "Stage 7: controls on the synthetic data set",
    "figures": "Stage 8: figures",
    "report": "Stages 7 and 9: the ranking and the report page",
    "bundle": "Stage 9: the trained model as one folder",
    "companions.par": "Companion c1: PAR and siamese",
    "companions.slicenet": "Companion c2: SliceNet",
    "companions.bpbreid": "Companion c3: BPBReID",
    "companions.comparison": "Companion c4: the comparison",
}
BOUNDS = {"ge": ">=", "gt": ">", "le": "<=", "lt": "<"}
NAMES = {str: "text", bool: "true or false", type(None): "null"}
REQUIRED = "(required)"


class Key(NamedTuple):
    """One line of the reference."""

    path: str
    kind: str
    default: str
    meaning: str


def keys(model: type[BaseModel], values: BaseModel | None, prefix: str = "") -> Iterator[Key]:
    """Every key of a settings class, sections entered, in the order of declaration; a section that may be absent is a key itself.

    Args:
        model: the class.
        values: the default run's settings of this class; None: the section is absent there, and the class's own defaults are shown.
        prefix: dotted path of the section, "" or ending in a dot.
    """
    for name, field in model.model_fields.items():
        path, value = f"{prefix}{name}", None if values is None else getattr(values, name)
        section = _section(field.annotation)
        if section is not None:
            if not field.is_required() and field.default is None:
                yield Key(path, "section or null", "null" if value is None else "a section", field.description or _first_line(section))
            yield from keys(section, value, f"{path}.")
        else:
            default = _absent_default(field) if values is None else as_yaml(value)
            yield Key(path, describe_type(field), default, field.description or "")


def _section(annotation: Any) -> type[BaseModel] | None:
    """The settings class behind an annotation, optional or not."""
    for candidate in (annotation, *get_args(annotation)):
        if isinstance(candidate, type) and issubclass(candidate, BaseModel):
            return candidate
    return None


def _first_line(section: type[BaseModel]) -> str:
    return (section.__doc__ or "").strip().split("\n")[0].removesuffix(".")


def _absent_default(field: FieldInfo) -> str:
    return REQUIRED if field.is_required() else as_yaml(field.get_default(call_default_factory=True))


def as_yaml(value: Any) -> str:
    """A plain value as one would write it into a YAML file."""
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(as_yaml, value))}]"
    if value is None or isinstance(value, bool):
        return str(value).lower().replace("none", "null")
    return f"{value:g}" if isinstance(value, float) else str(value)


def describe_type(field: FieldInfo) -> str:
    """Type and range of a key in words."""
    return _with_bounds(_type_name(field.annotation), field.metadata)


def _type_name(annotation: Any) -> str:
    origin, parts = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return ", ".join(f"`{as_yaml(part)}`" for part in parts)
    if origin is Annotated:
        return _with_bounds(_type_name(parts[0]), parts[1:])
    if origin is tuple:
        return f"list of {_type_name(parts[0])}" if parts[-1] is Ellipsis else f"list of {len(parts)} {_type_name(parts[0])}"
    if parts:
        return " or ".join(map(_type_name, parts))
    return NAMES.get(annotation) or str(annotation.__name__)


def _with_bounds(name: str, metadata: Any) -> str:
    plain = [part for item in metadata for part in (item.metadata if isinstance(item, FieldInfo) else [item])]
    bounds = [f"{sign} {getattr(item, bound):g}" for item in plain for bound, sign in BOUNDS.items() if hasattr(item, bound)]
    return ", ".join([name, *bounds])


def reference(folder: Path) -> str:
    """The text of the reference for a folder with config.yaml and presets."""
    config = yaml.safe_load((folder / "config.yaml").read_text(encoding="utf-8"))
    grouped: dict[str, list[Key]] = {}
    for key in keys(RunConfig, load_run_config(config)):
        grouped.setdefault(_group(key.path), []).append(key)
    tables = [_table(SECTIONS.get(group, f"`{group}`"), found) for group, found in grouped.items()]
    return HEADER.format(presets=_presets(folder)) + "".join(tables)


def _presets(folder: Path) -> str:
    """A table of the YAML files, each with the first sentence of its first comment."""
    rows = [f"| `{path.name}` | {_cell(_first_sentence(path.read_text(encoding='utf-8')))} |\n" for path in sorted(folder.glob("*.yaml"))]
    return f"| file | run |\n|---|---|\n{''.join(rows)}"


def _first_sentence(text: str) -> str:
    lines = [line.removeprefix("#").strip() for line in takewhile(lambda line: line.startswith("#"), text.splitlines())]
    return f"{' '.join(lines).split('. ')[0].removesuffix('.')}."


def _group(path: str) -> str:
    parts = path.split(".")
    above = (".".join(parts[:depth]) for depth in range(len(parts), 0, -1))
    return next((prefix for prefix in above if prefix in SECTIONS), parts[0])


def _table(heading: str, found: list[Key]) -> str:
    rows = [f"| `{key.path}` | {_cell(key.kind)} | {_code(key.default)} | {_cell(key.meaning)} |\n" for key in found]
    return f"\n## {heading}\n\n| key | type | default | meaning |\n|---|---|---|---|\n{''.join(rows)}"


def _code(default: str) -> str:
    return default if default == REQUIRED else f"`{_cell(default)}`"


def _cell(text: str) -> str:
    """Text that may stand in a cell: a bar would end it."""
    return text.replace("|", "\\|")


def main(folder: str, target: str) -> None:
    """Read the folder of configurations, write the reference."""
    Path(target).write_text(reference(Path(folder)), encoding="utf-8")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
