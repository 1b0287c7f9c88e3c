"""Rule pretrain_apan: images.parquet, extractor -> the weights of APAN, trained alone."""

from pathlib import Path

from qafm.config.branches import PretrainApanConfig
from qafm.config.runtime import RuntimeConfig
from qafm.runtime.job import stage_job
from qafm.training.pretrain_apan import pretrain_apan
from qafm.training.stage import TrainingOutputs

with stage_job(f"pretrain_apan seed {snakemake.wildcards.seed}", snakemake.log[0]):
    settings = {name: snakemake.params[name] for name in ("config", "runtime", "code")} | {"seed": int(snakemake.wildcards.seed)}
    pretrain_apan(
        Path(snakemake.input.images),
        Path(snakemake.input.extractor) if snakemake.input.extractor else None,
        PretrainApanConfig.model_validate(settings["config"]),
        RuntimeConfig.model_validate(settings["runtime"]),
        settings["seed"],
        TrainingOutputs.keyed(snakemake.output.weights, snakemake.output.history, settings, snakemake.input),
    )
