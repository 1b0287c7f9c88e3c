"""Write results/faults.csv: the replica of the original code, and each of its faults repaired alone. `make faults` runs them first.

usage: tabulate_faults.py BASE.yaml FAULTS_FOLDER OUT.csv

The presets of the folder lie over config.yaml, BASE.yaml and the folder's first file, which is the study's base. What a preset says of itself is its first
comment. Variants that were not run yet are named and left out.
"""

import sys
from pathlib import Path

from qafm.config.run import RunConfig, load_run_files
from qafm.errors import InputError
from qafm.evaluation.tabulate_variants import EXPERIMENTS, Variant, tabulate_variants


def load_study(base: Path, folder: Path) -> dict[str, tuple[str, RunConfig]]:
    """What each preset of the folder says of itself, and its merged configuration, by the preset's name.

    Raises:
        InputError: the folder has no preset, or a file cannot be read or does not pass the checks; one line names it.
    """
    presets = sorted(folder.glob("*.yaml"))
    if not presets:
        raise InputError(f"{folder}: holds no preset (*.yaml)")
    study = {}
    for path in presets:
        config = load_run_files([base.parent / "config.yaml", base, presets[0], path])
        comment = [line.removeprefix("#").strip() for line in path.read_text(encoding="utf-8").splitlines() if line.startswith("#")]
        study[path.stem] = " ".join(comment).split(". ")[0].rstrip(".") + ".", config
    return study


def variant(name: str, says: str, config: RunConfig) -> Variant:
    """Where a run of `config` leaves its artifacts."""
    _, features, _ = config.folders()
    seeds = {seed: config.seed_folder(seed) for seed in config.seeds}
    rows = [(seed, row, folder / "ablation" / f"{row}.json") for row in EXPERIMENTS.values() for seed, folder in seeds.items()]
    names = (config.dataset.name, config.features.name, config.model.name)
    return Variant(name, says, names, features / "quality.json", [folder / "embeddings" / "fusion.parquet" for folder in seeds.values()], rows)


def is_finished(of: Variant) -> bool:
    """Whether everything that the table reads is there."""
    return all(path.is_file() for path in (of.quality, *of.embeddings, *(path for _, _, path in of.rows)))


def main(base: Path, folder: Path, out: Path) -> None:
    """Tabulate the variants that were run.

    Raises:
        InputError: a preset or an artifact cannot be read.
    """
    study = [variant(name, says, config) for name, (says, config) in load_study(base, folder).items()]
    finished = [each for each in study if is_finished(each)]
    for each in study:
        if each not in finished:
            print(f"{each.name}: not run yet, left out", file=sys.stderr)
    tabulate_variants(finished, out)


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    try:
        main(*map(Path, sys.argv[1:]))
    except InputError as error:
        sys.exit(f"error: {error}")
