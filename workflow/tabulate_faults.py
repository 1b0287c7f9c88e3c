"""Write results/faults.csv: the replica of the original code, and each of its faults repaired alone. `make faults` runs them first.

usage: tabulate_faults.py BASE.yaml FAULTS_FOLDER OUT.csv

The presets of the folder lie over config.yaml, BASE.yaml and the folder's first file, which is the study's base. What a preset says of itself is its first
comment. Variants that were not run yet are named and left out.
"""

import sys
from pathlib import Path

import yaml

from qafm.config.run import RunConfig, load_run_config, merge
from qafm.evaluation.tabulate_variants import EXPERIMENTS, Variant, tabulate_variants


def load_study(base: Path, folder: Path) -> dict[str, tuple[str, RunConfig]]:
    """What each preset of the folder says of itself, and its merged configuration, by the preset's name."""
    presets = sorted(folder.glob("*.yaml"))
    below = [yaml.safe_load(path.read_text(encoding="utf-8")) for path in (base.parent / "config.yaml", base, presets[0])]
    study = {}
    for path in presets:
        text = path.read_text(encoding="utf-8")
        config = merge(merge(merge(below[0], below[1]), below[2]), yaml.safe_load(text))
        comment = [line.removeprefix("#").strip() for line in text.splitlines() if line.startswith("#")]
        study[path.stem] = " ".join(comment).split(". ")[0].rstrip(".") + ".", load_run_config(config)
    return study


def variant(name: str, says: str, config: RunConfig) -> Variant:
    """Where a run of `config` leaves its artifacts."""
    features = Path("results") / config.dataset.name / config.features.name
    seeds = {seed: features / config.model.name / f"seed-{seed}" for seed in config.seeds}
    rows = [(seed, row, folder / "ablation" / f"{row}.json") for row in EXPERIMENTS.values() for seed, folder in seeds.items()]
    names = (config.dataset.name, config.features.name, config.model.name)
    return Variant(name, says, names, features / "quality.json", [folder / "embeddings" / "fusion.parquet" for folder in seeds.values()], rows)


def is_finished(of: Variant) -> bool:
    """Whether everything that the table reads is there."""
    return all(path.is_file() for path in (of.quality, *of.embeddings, *(path for _, _, path in of.rows)))


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    study = [variant(name, says, config) for name, (says, config) in load_study(Path(sys.argv[1]), Path(sys.argv[2])).items()]
    finished = [each for each in study if is_finished(each)]
    for each in study:
        if each not in finished:
            print(f"{each.name}: not run yet, left out", file=sys.stderr)
    tabulate_variants(finished, Path(sys.argv[3]))
