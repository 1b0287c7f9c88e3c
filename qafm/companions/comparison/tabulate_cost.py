"""comparison_cost.csv: what the compared systems take in time. Times differ from run to run and machine to machine, so they have a table of their own."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from qafm.companions.comparison.compared_rows import about, by_recipe
from qafm.config.compared import ComparedSystem
from qafm.config.runtime import RuntimeConfig
from qafm.errors import reading
from qafm.evaluation.ablation_rows import Cells, write_table
from qafm.reporting.report_provenance import read_costs
from qafm.runtime.files import read_json
from qafm.tables.table4 import Run

COLUMNS = (
    "system",
    "recipe",
    "dataset",
    "train_s",
    "before_s",
    "ms_per_image",
    "ms_per_image_batched",
    "batch",
    "device",
    "threads",
    "precision",
    "seeds",
    "note",
)


@dataclass(frozen=True)
class Records:
    """Snakemake's records of time behind a system; one that is not there leaves its cell empty.

    Args:
        trainings: of its own trainings, all seeds.
        before: of what is made once before them and other systems may share.
    """

    trainings: Sequence[Path]
    before: Sequence[Path]


def tabulate_cost(systems: Sequence[ComparedSystem], records: Mapping[str, Records], inference: Path, run: Run, runtime: RuntimeConfig, out: Path) -> None:
    """Write a row per recipe and system: seconds of the training of one model (mean over seeds), of what comes before it, and milliseconds per image in use.

    Args:
        systems: in the order of the table.
        records: key of a system -> its records.
        inference: of `time_inference`.
        run: what the table belongs to.
        runtime: threads and precision it was measured with.
        out: the table.

    Raises:
        InputError: a file is damaged.
    """
    device, batch, times = _read(inference, [system.key for system in systems])
    rows: list[Cells] = []
    for recipe, system, note in by_recipe(systems):
        found = records[system.key]
        train, before = _seconds(found.trainings), _seconds(found.before)
        rows.append(
            about(system, recipe)
            | {
                "dataset": run.dataset,
                "train_s": "" if train is None else f"{train / len(system.seeds):.1f}",
                "before_s": "" if before is None else f"{before:.1f}",
                "ms_per_image": f"{times[system.key][0]:.3f}",
                "ms_per_image_batched": f"{times[system.key][1]:.3f}",
                "batch": str(batch),
                "device": device,
                "threads": str(runtime.threads),
                "precision": runtime.precision,
                "note": note,
            }
        )
    write_table(out, COLUMNS, rows)


def _seconds(paths: Sequence[Path]) -> float | None:
    """Sum of the recorded times; 0 without any path, None where one is not recorded."""
    if not paths:
        return 0.0
    (cost,) = read_costs([("all", path) for path in paths])
    return cost.seconds if cost.recorded == cost.expected else None


def _read(path: Path, keys: Sequence[str]) -> tuple[str, int, dict[str, tuple[float, float]]]:
    with reading(path, "does not hold the times of the compared systems"):
        content = read_json(path)
        one, batched = ({key: float(content["ms_per_image"][key][k]) for key in keys} for k in (0, 1))
        return content["device"], int(content["batch"]), {key: (one[key], batched[key]) for key in keys}
