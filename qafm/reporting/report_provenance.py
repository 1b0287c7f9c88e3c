"""How the numbers of the report were made: weights and the code behind them, time and memory per stage, software."""

import csv
import importlib.metadata
import json
import math
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open

from qafm.errors import InputError

PACKAGES = (
    "qafm-reid",
    "torch",
    "torchvision",
    "numpy",
    "scipy",
    "pandas",
    "pyarrow",
    "opencv-python",
    "pydantic",
    "safetensors",
    "matplotlib",
    "jinja2",
    "snakemake",
)
UNKNOWN = "not recorded"


@dataclass(frozen=True)
class WeightsFile:
    """What the header of a weights file says.

    Args:
        stage: that trained it.
        seed: it was trained with.
        code: digest of the code behind the stage.
        runtime: device, precision and threads.
        file: its path.
    """

    stage: str
    seed: str
    code: str
    runtime: str
    file: str


@dataclass(frozen=True)
class StageCost:
    """What a stage took, summed over its jobs.

    Args:
        stage: its name.
        recorded: jobs with a measurement.
        expected: jobs.
        seconds: wall-clock time; None where nothing was recorded.
        cpu_seconds: processor time; None likewise.
        peak_mib: the largest resident memory of one job, MiB; None likewise.
    """

    stage: str
    recorded: int
    expected: int
    seconds: float | None
    cpu_seconds: float | None
    peak_mib: float | None


def read_weights(files: Sequence[tuple[str, int | None, Path]]) -> list[WeightsFile]:
    """Stage, seed and code digest of weights files, from their headers.

    Args:
        files: (stage, seed, path); seed None where a stage has none of the run's.

    Raises:
        InputError: a file cannot be read, or was trained with another seed.
    """
    return [_weights_file(stage, seed, path) for stage, seed, path in files]


def _weights_file(stage: str, seed: int | None, path: Path) -> WeightsFile:
    try:
        with safe_open(path, framework="numpy") as stream:
            found: dict[str, Any] = json.loads((stream.metadata() or {}).get("provenance", "{}"))
    except (OSError, SafetensorError, ValueError) as error:
        raise InputError(f"{path}: cannot be read as weights ({error})") from error
    own = found.get("seed", found.get("config", {}).get("seed"))
    if seed is not None and own is not None and own != seed:
        raise InputError(f"{path}: was trained with seed {own}, expected {seed}")
    runtime = found.get("runtime")
    words = f"{' then '.join(found.get('machines', [runtime['device']]))}, {runtime['precision']}, {runtime['threads']} threads" if runtime else UNKNOWN
    return WeightsFile(stage, str(own if own is not None else seed if seed is not None else UNKNOWN), found.get("code", UNKNOWN), words, path.as_posix())


def read_costs(files: Sequence[tuple[str, Path]]) -> list[StageCost]:
    """Time and memory per stage, from Snakemake's benchmark files; a file that is not there counts as a job that was not recorded.

    Args:
        files: (stage, path), one per job.

    Raises:
        InputError: a file is no benchmark file.
    """
    stages: dict[str, list[Path]] = {}
    for stage, path in files:
        stages.setdefault(stage, []).append(path)
    return [_cost(stage, paths) for stage, paths in stages.items()]


def total_cost(costs: Sequence[StageCost]) -> StageCost:
    """All stages together."""
    return StageCost(
        "stages listed",
        sum(cost.recorded for cost in costs),
        sum(cost.expected for cost in costs),
        _sum([cost.seconds for cost in costs]),
        _sum([cost.cpu_seconds for cost in costs]),
        max((cost.peak_mib for cost in costs if cost.peak_mib is not None), default=None),
    )


def _cost(stage: str, paths: Sequence[Path]) -> StageCost:
    rows = [row for path in paths if path.is_file() for row in _benchmark(path)]
    recorded = sum(path.is_file() for path in paths)
    peak = max((row["max_rss"] for row in rows if row["max_rss"] is not None), default=None)
    return StageCost(stage, recorded, len(paths), _sum([row["s"] for row in rows]), _sum([row["cpu_time"] for row in rows]), peak)


def _sum(values: Sequence[float | None]) -> float | None:
    found = [value for value in values if value is not None]
    return math.fsum(found) if found else None


def _benchmark(path: Path) -> list[dict[str, float | None]]:
    """Seconds, resident memory (MiB) and CPU seconds of every line; Snakemake writes NA or - for what it could not measure."""
    try:
        with path.open(encoding="utf-8", newline="") as stream:
            rows = list(csv.DictReader(stream, delimiter="\t"))
        return [{name: None if row[name] in ("NA", "-", "") else float(row[name]) for name in ("s", "max_rss", "cpu_time")} for row in rows]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path}: is no benchmark file of Snakemake ({error!r})") from error


def software() -> list[tuple[str, str]]:
    """(name, version) of the packages at hand, Python and the kind of machine; nothing that names the machine or its user."""
    found = [("Python", platform.python_version()), *((name, _version(name)) for name in PACKAGES)]
    return [*found, ("platform", f"{platform.system()} {platform.machine()}")]


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"


def as_duration(seconds: float | None) -> str:
    """Seconds for people: 3 h 05 min, 8 min 28 s, 4.2 s."""
    if seconds is None:
        return UNKNOWN
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"


def as_memory(mib: float | None) -> str:
    """MiB for people."""
    if mib is None:
        return UNKNOWN
    return f"{mib:.0f} MiB" if mib < 1024 else f"{mib / 1024:.1f} GiB"
