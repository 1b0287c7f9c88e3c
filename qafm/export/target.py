"""Where an exported network may be written; free of torch, so that a wrong name is told at once."""

from pathlib import Path

from qafm.errors import InputError

SUFFIXES = {"onnx": ".onnx", "torch": ".pt2"}


def check_export_target(path: Path, suffix: str, overwrite: bool) -> None:
    """Refuse another ending, and a file that is there already.

    Raises:
        InputError: either of them.
    """
    if path.suffix.lower() != suffix:
        raise InputError(f"{path}: the name must end in {suffix}")
    if path.exists() and not overwrite:
        raise InputError(f"{path}: is there already; --overwrite (overwrite=True) replaces it")
