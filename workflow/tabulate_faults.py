"""Write results/faults.csv: the replica of the original code, and each of its faults repaired alone. `make faults` runs them first.

usage: tabulate_faults.py BASE.yaml FAULTS_FOLDER OUT.csv [MORE.yaml ...]

The presets of the folder lie over config.yaml, BASE.yaml and the folder's first file, which is the study's base; MORE.yaml, for instance further seeds,
lie over all. What a preset says of itself is its first comment. Variants and seeds that were not run yet are named and left out.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

from qafm.config.run import RunConfig, load_run_files
from qafm.errors import InputError
from qafm.evaluation.tabulate_variants import EXPERIMENTS, Variant, tabulate_variants


def load_study(base: Path, folder: Path, more: Sequence[Path] = ()) -> dict[str, tuple[str, RunConfig]]:
    """What each preset of the folder says of itself, and its merged configuration, by the preset's name.

    Raises:
        InputError: the folder has no preset, or a file cannot be read or does not pass the checks; one line names it.
    """
    presets = sorted(folder.glob("*.yaml"))
    if not presets:
        raise InputError(f"{folder}: holds no preset (*.yaml)")
    study = {}
    for path in presets:
        config = load_run_files([base.parent / "config.yaml", base, presets[0], path, *more])
        comment = [line.removeprefix("#").strip() for line in path.read_text(encoding="utf-8").splitlines() if line.startswith("#")]
        study[path.stem] = " ".join(comment).split(". ")[0].rstrip(".") + ".", config
    return study


def variant(name: str, says: str, config: RunConfig) -> tuple[Variant, list[int]]:
    """Where a run of `config` leaves its artifacts, of those seeds that are finished; the seeds that are not."""
    _, features, _ = config.folders()
    quality = features / "quality.json"
    embeddings = {seed: config.seed_folder(seed) / "embeddings" / "fusion.parquet" for seed in config.seeds}
    rows = {seed: [(seed, row, config.seed_folder(seed) / "ablation" / f"{row}.json") for row in EXPERIMENTS.values()] for seed in config.seeds}
    finished = [seed for seed in config.seeds if all(path.is_file() for path in (quality, embeddings[seed], *(path for _, _, path in rows[seed])))]
    names = (config.dataset.name, config.features.name, config.model.name)
    found = Variant(name, says, names, quality, [embeddings[seed] for seed in finished], [row for seed in finished for row in rows[seed]])
    return found, [seed for seed in config.seeds if seed not in finished]


def main(base: Path, folder: Path, out: Path, more: Sequence[Path]) -> None:
    """Tabulate what was run.

    Raises:
        InputError: a preset or an artifact cannot be read, or the study's base was not run.
    """
    study = load_study(base, folder, more)
    finished = []
    for name, (says, config) in study.items():
        found, missing = variant(name, says, config)
        if missing:
            print(f"{name}: seed {', '.join(map(str, missing))} not run yet, left out", file=sys.stderr)
        if not found.embeddings and not finished:
            raise InputError(f"{name}: not run yet, and all others are compared with it")
        if found.embeddings:
            finished.append(found)
    tabulate_variants(finished, config.ablation, out)


if __name__ == "__main__":
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    base, folder, out, *more = map(Path, sys.argv[1:])
    try:
        main(base, folder, out, more)
    except InputError as error:
        sys.exit(f"error: {error}")
