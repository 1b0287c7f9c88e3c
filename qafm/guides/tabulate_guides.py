"""guides.csv: what the weight gains when it follows Q, and when it follows something else."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from qafm.config.ablation import AblationConfig
from qafm.errors import InputError, reading
from qafm.evaluation.ablation_rows import Cells, as_percent, as_weight, write_table
from qafm.evaluation.bootstrap import identity_interval, spearman, spearman_interval
from qafm.guides.measure_guides import READS
from qafm.runtime.files import read_json
from qafm.tables.table4 import Run

COLUMNS = (
    *("guide", "reads", "dataset", "features", "model", "init", "n_queries"),
    *("spearman", "spearman_low", "spearman_high", "slope", "visual_weight_sd"),
    *("mAP_fixed", "mAP", "gain", "gain_low", "gain_high", "n_seeds"),
)


def tabulate_guides(files: Sequence[tuple[int, Path]], run: Run, config: AblationConfig, out: Path) -> None:
    """Write guides.csv: a row per guide that every seed knows, in the order of READS.

    `spearman` is rho of the guide and APN's lead over APAN; `slope` and `visual_weight_sd` are those of the rule chosen on held-out identities, means over
    seeds; `gain` is the mAP of that rule minus that of one weight for all (`mAP_fixed`), chosen on the same identities. Intervals are over identities, values
    and AP means over seeds. Without held-out identities there is no rule, and its cells are empty.

    Args:
        files: (seed, artifact of `measure_guides`).
        run: what the table belongs to.
        config: draws and seed of the bootstrap.
        out: the CSV.

    Raises:
        InputError: an artifact is missing or broken, or the seeds were measured on different queries.
    """
    contents = [_read(path) for _, path in files]
    queries = [content["queries"] for content in contents]
    for (_, path), other in zip(files, queries, strict=True):
        if other["image_id"] != queries[0]["image_id"]:
            raise InputError(f"{path}: is of other queries than {files[0][1]}")
    names = [name for name in READS if all(name in content["guides"] for content in contents)]
    same = {"dataset": run.dataset, "features": run.features, "model": run.model, "init": run.init, "n_seeds": str(len(files))}
    rows = [_row([content["guides"][name] for content in contents], queries, config) | {"guide": name, "reads": READS[name]} | same for name in names]
    write_table(out, COLUMNS, rows)


def _read(path: Path) -> dict[str, Any]:
    with reading(path, "is no artifact of measure_guides"):
        content = read_json(path)
        _ = content["queries"]["image_id"], content["guides"]
    return content


def _row(guides: Sequence[dict[str, Any]], queries: Sequence[dict[str, Any]], config: AblationConfig) -> Cells:
    pid = np.array(queries[0]["pid"])
    place, lead = (np.mean([one[name] for one in of], axis=0) for of, name in ((guides, "place"), (queries, "lead")))
    cells: Cells = {"n_queries": str(len(pid))}
    rho = spearman(place, lead)
    if rho is not None:
        low, high = spearman_interval(place, lead, pid, samples=config.bootstrap_samples, seed=config.seed)
        cells |= {"spearman": f"{rho:.3f}", "spearman_low": f"{low:.3f}", "spearman_high": f"{high:.3f}"}
    if any(guide["ap"] is None for guide in guides):
        return cells
    ap, fixed = (100 * np.mean([one[name] for one in of], axis=0) for of, name in ((guides, "ap"), (queries, "fixed")))
    low, high = identity_interval(ap - fixed, pid, samples=config.bootstrap_samples, seed=config.seed)
    cells |= {"slope": as_weight(_mean(guides, "slope")), "visual_weight_sd": as_weight(_mean(guides, "weight_sd"))}
    means = {"mAP_fixed": fixed.mean(), "mAP": ap.mean(), "gain": (ap - fixed).mean(), "gain_low": low, "gain_high": high}
    return cells | {name: as_percent(float(value)) for name, value in means.items()}


def _mean(guides: Sequence[dict[str, Any]], name: str) -> float:
    return float(np.mean([guide[name] for guide in guides]))
