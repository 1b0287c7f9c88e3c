"""State of a training run, kept beside the declared outputs, so that a killed run goes on where it was."""

import hashlib
import json
import logging
import pickle
import shutil
from pathlib import Path
from typing import Any

import torch

from qafm.runtime.files import file_sha256, whole_file

LOGGER = logging.getLogger("qafm")


def resume_key(settings: dict[str, Any], inputs: list[Path]) -> str:
    """The key of a state: settings (config slice, seed, code digest) and contents of all input files."""
    content = json.dumps([settings, [file_sha256(path) for path in inputs]], sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()[:16]


class ResumeState:
    """One state file per output and key. A state with another key is stale and removed on the first save.

    Args:
        folder: the folder for this output's state; nothing else may lie in it.
        key: what `resume_key` returned for this run.

    Attributes:
        machines: what trained so far, in words; a run may be resumed elsewhere.
    """

    def __init__(self, folder: Path, key: str) -> None:
        self.folder = folder
        self.path = folder / f"{key}.pt"
        self.machines: list[str] = []

    def load(self, machine: str) -> dict[str, Any] | None:
        """The state saved last under this key, or None; None, too, with a warning, where it cannot be read: then the training starts anew.

        Args:
            machine: what trains from here on.
        """
        self.machines = [machine]
        if not self.path.is_file():
            return None
        try:
            state = torch.load(self.path, map_location="cpu", weights_only=True)
        except (EOFError, OSError, RuntimeError, pickle.UnpicklingError) as error:
            LOGGER.warning("%s: the state of a killed run cannot be read (%s); starting anew", self.path, str(error).splitlines()[0] if str(error) else "empty")
            return None
        before = state.pop("machines")
        if machine not in before:
            LOGGER.warning("begun by %s, goes on by %s", " then ".join(before), machine)
        self.machines = [*before, *([] if machine in before else [machine])]
        return state

    def save(self, state: dict[str, Any]) -> None:
        """Replace the state, whole or not at all, also where the machine fails.

        Raises:
            OSError: it cannot be written; a full disk names the file.
        """
        with whole_file(self.path) as temporary, temporary.open("wb") as stream:
            try:
                torch.save(state | {"machines": self.machines}, stream)
            except RuntimeError as error:
                if isinstance(error.__context__, OSError):  # a full disk, of which torch's own message says nothing
                    raise error.__context__ from None
                raise
        for other in self.folder.iterdir():
            if other != self.path:
                other.unlink()

    def clear(self) -> None:
        """Remove the state: the run is complete."""
        shutil.rmtree(self.folder, ignore_errors=True)
