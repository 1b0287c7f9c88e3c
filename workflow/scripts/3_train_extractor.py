"""Rule train_extractor: images.parquet -> the ReID extractor's weights and learning curve."""

from pathlib import Path

from qafm.config.features import ExtractorConfig
from qafm.config.runtime import RuntimeConfig
from qafm.runtime.job import stage_job
from qafm.training.stage import TrainingOutputs
from qafm.training.train_extractor import train_extractor

with stage_job("train_extractor", snakemake.log[0]):
    settings = {name: snakemake.params[name] for name in ("config", "runtime", "code")}
    train_extractor(
        Path(snakemake.input.images),
        ExtractorConfig.model_validate(settings["config"]),
        RuntimeConfig.model_validate(settings["runtime"]),
        TrainingOutputs.keyed(snakemake.output.weights, snakemake.output.history, settings, snakemake.input),
    )
