"""Options that several commands share."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from qafm.config.choices import Device

if TYPE_CHECKING:
    from qafm.inference.model import ReidModel

Images = Annotated[list[Path], typer.Argument(metavar="IMAGES", help="Image files, or folders of them.", show_default=False)]
ModelPath = Annotated[
    Path | None,
    typer.Option(
        "--model", "-m", help="A bundle, or the folder of a run (.../seed-1) that holds one. Default: the small model that comes with qafm.", show_default=False
    ),
]
DeviceName = Annotated[Device, typer.Option("--device", help="auto: the GPU where there is one.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]


def load_model(path: Path | None, device: Device) -> "ReidModel":
    """The model of `--model` and `--device`; torch is imported here.

    Raises:
        InputError: there is no such model, or no such device.
    """
    from qafm.bundles.bundle_files import find_bundle

    find_bundle(path)  # a wrong name is told before the seconds that torch takes
    from qafm.inference.model import load

    return load(path, device=device)
