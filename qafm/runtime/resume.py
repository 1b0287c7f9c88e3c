"""State of a training run, kept beside the declared outputs, so that a killed run goes on where it was."""

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import torch

from qafm.runtime.files import file_sha256


def resume_key(settings: dict[str, Any], inputs: list[Path]) -> str:
    """The key of a state: settings (config slice, seed, code digest) and contents of all input files."""
    content = json.dumps([settings, [file_sha256(path) for path in inputs]], sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()[:16]


class ResumeState:
    """One state file per output and key. A state with another key is stale and removed on the first save.

    Args:
        folder: the folder for this output's state; nothing else may lie in it.
        key: what `resume_key` returned for this run.
    """

    def __init__(self, folder: Path, key: str) -> None:
        self.folder = folder
        self.path = folder / f"{key}.pt"

    def load(self) -> dict[str, Any] | None:
        """The state saved last under this key, or None."""
        if not self.path.is_file():
            return None
        return torch.load(self.path, map_location="cpu", weights_only=True)

    def save(self, state: dict[str, Any]) -> None:
        """Replace the state, whole or not at all."""
        self.folder.mkdir(parents=True, exist_ok=True)
        temporary = self.path.with_suffix(".tmp")
        torch.save(state, temporary)
        temporary.replace(self.path)
        for other in self.folder.iterdir():
            if other != self.path:
                other.unlink()

    def clear(self) -> None:
        """Remove the state: the run is complete."""
        shutil.rmtree(self.folder, ignore_errors=True)
