"""`qafm doctor`: what works here, what does not, and what to do next."""

import importlib.metadata
import os
import platform
import re
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import typer

from qafm.cli.options import AsJson, DeviceName, load_model
from qafm.cli.output import console, print_json
from qafm.config.choices import Device
from qafm.errors import InputError

OLDEST_PYTHON = (3, 11)
ROOM_GB = 10  # a run on Market-1501 keeps about that much while it works
_MARKS = {"ok": ("✓", "green"), "absent": ("–", "yellow"), "problem": ("✗", "red")}


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at; `absent` is no fault, `problem` is one."""

    what: str
    status: Literal["ok", "absent", "problem"]
    found: str
    advice: str = ""


def doctor(device: DeviceName = "auto", as_json: AsJson = False) -> None:
    """Look at the environment, the device, the model that comes with qafm and the data sets; say what to do next. Exit code 1: something is broken."""
    findings: list[Finding] = []
    for look in (_python, _packages, lambda: _device(device), lambda: _model(device), _disk, _data_sets):
        findings += _looked(look)
    if as_json:
        print_json({"findings": [vars(finding) for finding in findings], "next": _next(findings)})
    else:
        _print(findings)
    if any(finding.status == "problem" for finding in findings):
        raise typer.Exit(1)


def _looked(look: Callable[[], Iterator[Finding]]) -> list[Finding]:
    try:
        return list(look())
    except ImportError as error:
        return [Finding("package", "problem", str(error), "install again: make install, or pip install -e .")]


def _python() -> Iterator[Finding]:
    old = sys.version_info < OLDEST_PYTHON
    yield Finding("Python", "problem" if old else "ok", f"{platform.python_version()}, {sys.executable}", "3.11 or newer is needed" if old else "")


def _packages() -> Iterator[Finding]:
    names = [re.split(r"[ ;<>=!~\[(]", requirement)[0] for requirement in importlib.metadata.requires("qafm-reid") or []]
    missing = [name for name in names if _version(name) is None]
    own = importlib.metadata.version("qafm-reid")
    if missing:
        yield Finding("packages", "problem", f"qafm {own}; missing: {', '.join(missing)}", f"pip install {' '.join(missing)}, or make install")
    else:
        yield Finding("packages", "ok", f"qafm {own}, torch {_version('torch')}; all {len(names)} are installed")


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _device(wanted: Device) -> Iterator[Finding]:
    import torch

    from qafm.runtime.torch_setup import multiplies_bf16

    if torch.cuda.is_available():
        memory = torch.cuda.get_device_properties(0).total_memory / 2**30
        yield Finding("device", "ok", f"GPU {torch.cuda.get_device_name(0)}, {memory:.0f} GiB")
    elif wanted == "cuda":
        yield Finding("device", "problem", "torch finds no GPU", "leave out --device cuda, or install the driver and a torch build with CUDA")
    else:
        advice = "" if multiplies_bf16() else "for training, runtime.precision: leave it at fp32, the faster one here"
        found = f"CPU, {os.cpu_count()} cores, {torch.get_num_threads()} threads; no GPU: all commands work, training takes longer"
        yield Finding("device", "ok", found, advice)


def _model(device: Device) -> Iterator[Finding]:
    import numpy as np

    try:
        model = load_model(None, device)
        found = model.embed(np.full((128, 64, 3), 127, np.uint8), quality=False, progress=False)
    except InputError as error:
        yield Finding("shipped model", "problem", str(error), "install again, or give your own: --model results/.../seed-1")
        return
    yield Finding(
        "shipped model",
        "ok",
        f"{model.name} ({model.model_id[:12]}), {found.descriptor.shape[1]} values per image, trained on {model.config.trained_on.kind} people",
    )


def _disk() -> Iterator[Finding]:
    free = shutil.disk_usage(Path.cwd()).free / 1e9
    small = free < ROOM_GB
    yield Finding("disk", "absent" if small else "ok", f"{free:.0f} GB free here", f"a run on Market-1501 needs about {ROOM_GB} GB" if small else "")


def _data_sets() -> Iterator[Finding]:
    """The data sets of the presets in ./config."""
    from qafm.config.run import load_presets

    if not Path("config/config.yaml").is_file():
        yield Finding(
            "project", "absent", "no config/config.yaml here: there is nothing to train", "to train and to make the tables, run in a clone of the project"
        )
        return
    try:
        presets = load_presets(Path("config"))
    except InputError as error:
        yield Finding("project", "problem", str(error))
        return
    yield Finding("project", "ok", f"{len(presets)} presets in config/; the synthetic data set needs nothing")
    wanted: dict[str, list[str]] = {}
    for name, run in presets.items():
        sections = [run.dataset.parse_slice(), run.dataset.parse_slice().test_slice()]
        for section in sections:
            if section is not None and section.kind != "synthetic":
                for path in (section.root().as_posix(), section.attribute_file()):
                    if path and name not in wanted.setdefault(path, []):
                        wanted[path].append(name)
    for path, names in wanted.items():
        there = Path(path).exists()
        yield Finding(f"data: {path}", "ok" if there else "absent", "found" if there else f"not found; wanted by {', '.join(names)}")


def _next(findings: list[Finding]) -> list[str]:
    """What a reader should do, most urgent first."""
    broken = [f"{finding.what}: {finding.advice}" for finding in findings if finding.status == "problem" and finding.advice]
    if broken:
        return broken
    steps = [
        "qafm score PICTURE.jpg: any picture of one person, cut out",
        "qafm embed FOLDER -o gallery.parquet, then qafm search PICTURE.jpg --gallery gallery.parquet",
    ]
    if any(finding.what == "project" and finding.status == "ok" for finding in findings):
        steps.append("make table4: trains on the synthetic data set and makes the paper's Table 4 (docs/own-data.md: on your own images)")
    return steps


def _print(findings: list[Finding]) -> None:
    from rich.table import Table
    from rich.text import Text

    out = console()
    listed = Table.grid(padding=(0, 2))
    for finding in findings:
        mark, colour = _MARKS[finding.status]
        listed.add_row(Text(mark, style=colour), Text(finding.what, style="bold"), Text("\n".join(filter(None, (finding.found, finding.advice)))))
    out.print(listed)
    out.print("\nNext", style="bold")
    for step in _next(findings):
        out.print(Text(f"  {step}"))
