"""`qafm attributes`: what the attribute branch sees in images."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qafm.cli.image_files import shown, usable_images
from qafm.cli.options import AsJson, DeviceName, Images, ModelPath, load_model
from qafm.cli.output import console, print_json, print_table

if TYPE_CHECKING:
    from qafm.inference.results import Attribute

_COLUMN, _FIRST = 24, 14  # characters of an image's column and of the attributes' names
_SIDE_BY_SIDE = 4  # images beside each other where the output is no terminal


def attributes(images: Images, model: ModelPath = None, device: DeviceName = "auto", as_json: AsJson = False) -> None:
    """Predict clothing colours, bags and the other attributes, each with the network's probability.

    They are a network's guess at an annotator's impression of a small picture, no facts about a person; the probabilities are not calibrated.
    """
    usable = usable_images(images)
    files = usable.files
    loaded = load_model(model, device)
    found = loaded.attributes(files)
    if as_json:
        listed = [{"image": shown(file), "attributes": one} for file, one in zip(files, as_dicts(found, len(files)), strict=True)]
        print_json({"model": loaded.name, "model_id": loaded.model_id, "images": listed, "left_out": usable.left_out})
        return
    print_attributes(files, found)


def as_dicts(found: Sequence[dict[str, "Attribute"]] | None, n: int) -> list[dict[str, Any] | None]:
    """Attributes of n images for JSON; None for each where the model knows none."""
    return [None] * n if found is None else [{name: vars(attribute) for name, attribute in one.items()} for one in found]


def print_attributes(files: Sequence[Path], found: Sequence[dict[str, "Attribute"]]) -> None:
    """Attributes as rows, images as columns, as many beside each other as fit."""
    beside = max(1, (console().width - _FIRST) // _COLUMN) if sys.stdout.isatty() else _SIDE_BY_SIDE
    for start in range(0, len(files), beside):
        names = [shown(Path(file.name)) for file in files[start : start + beside]]
        columns = ["attribute", *(name if len(name) < _COLUMN else f"{name[: _COLUMN // 2 - 2]}…{name[-_COLUMN // 2 + 1 :]}" for name in names)]
        here = found[start : start + beside]
        rows = [[attribute.replace("_", " "), *(f"{one[attribute].value} {100 * one[attribute].probability:.0f} %" for one in here)] for attribute in here[0]]
        if start:
            print()
        print_table(columns, rows, text=columns)
