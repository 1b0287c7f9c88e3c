"""Rule train_baseline: images.parquet, extractor -> the weights of one of two Bag-of-Tricks baselines."""

from pathlib import Path

from qafm.config.baseline import BaselineConfig
from qafm.config.runtime import RuntimeConfig
from qafm.runtime.job import stage_job
from qafm.training.stage import TrainingOutputs
from qafm.training.train_baseline import train_baseline

with stage_job(f"train_baseline ({snakemake.wildcards.twin}) seed {snakemake.wildcards.seed}", snakemake.log[0]):
    settings = {name: snakemake.params[name] for name in ("config", "runtime", "code")} | {"seed": int(snakemake.wildcards.seed)}
    train_baseline(
        snakemake.wildcards.twin,
        Path(snakemake.input.images),
        Path(snakemake.input.extractor) if snakemake.input.extractor else None,
        BaselineConfig.model_validate(settings["config"]),
        RuntimeConfig.model_validate(settings["runtime"]),
        settings["seed"],
        TrainingOutputs.keyed(snakemake.output.weights, snakemake.output.history, settings, snakemake.input),
    )
