"""Rule train_common: images.parquet, extractor -> weights and learning curve of a companion's network under the common recipe."""

from pathlib import Path

from qafm.companions.comparison.train_common import train_common
from qafm.config.common_recipe import TrainCommonConfig
from qafm.config.runtime import RuntimeConfig
from qafm.runtime.job import stage_job
from qafm.training.stage import TrainingOutputs

with stage_job(f"train_common ({snakemake.wildcards.common}) seed {snakemake.wildcards.seed}", snakemake.log[0]):
    settings = {name: snakemake.params[name] for name in ("config", "runtime", "code")}
    settings |= {"system": snakemake.wildcards.common, "seed": int(snakemake.wildcards.seed)}
    train_common(
        settings["system"],
        Path(snakemake.input.images),
        Path(snakemake.input.extractor) if snakemake.input.extractor else None,
        TrainCommonConfig.model_validate(settings["config"]),
        RuntimeConfig.model_validate(settings["runtime"]),
        settings["seed"],
        TrainingOutputs.keyed(snakemake.output.weights, snakemake.output.history, settings, snakemake.input),
    )
