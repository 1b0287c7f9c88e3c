"""The files of a bundle, where it is found, and its bundle.json."""

import json
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from qafm.config.base import first_problem
from qafm.config.bundle import FORMAT, BundleConfig
from qafm.errors import InputError, reading

CONFIG, MODEL, EXTRACTOR, CALIBRATION = "bundle.json", "model.safetensors", "extractor.safetensors", "calibration.json"
SHIPPED = Path(__file__).resolve().parent / "shipped"


def find_bundle(path: Path | None) -> Path:
    """The folder of a bundle.

    Args:
        path: a bundle, or the folder of a run (`.../seed-1`) that holds one as `bundle/`; None: the one that comes with the package.

    Raises:
        InputError: there is none.
    """
    if path is None:
        return SHIPPED
    with reading(path, "cannot be read"):  # a name that is too long, a folder that others may not look into
        for folder in (path, path / "bundle"):
            if (folder / CONFIG).is_file():
                return folder
    missing = "no such folder" if not path.exists() else f"holds no bundle ({CONFIG}); `make bundles` makes those of a finished run"
    raise InputError(f"{path}: {missing}")


def weight_files(folder: Path, config: BundleConfig) -> list[Path]:
    """The weight files of a bundle, in the order of its digest."""
    return [folder / MODEL, *([] if config.extractor is None else [folder / EXTRACTOR])]


def read_bundle_config(folder: Path) -> BundleConfig:
    """Read bundle.json.

    Raises:
        InputError: it cannot be read, is of a newer format, or says something impossible.
    """
    path = folder / CONFIG
    try:
        content: Any = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read as JSON ({error})") from error
    found = content.get("format") if isinstance(content, dict) else None
    if isinstance(found, int) and found > FORMAT:
        raise InputError(f"{path}: is of format {found}, made by a newer qafm ({content.get('qafm', 'unknown')}); this one reads up to {FORMAT}")
    try:
        return BundleConfig.model_validate(content)
    except ValidationError as error:
        raise InputError(f"{path}: {first_problem(error)}") from None
