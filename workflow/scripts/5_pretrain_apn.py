"""Rule pretrain_apn: images.parquet, extractor -> the weights of APN, trained alone."""

from pathlib import Path

from qafm.config.branches import PretrainApnConfig
from qafm.config.runtime import RuntimeConfig
from qafm.runtime.job import stage_job
from qafm.training.pretrain_apn import pretrain_apn
from qafm.training.stage import TrainingOutputs

with stage_job(f"pretrain_apn seed {snakemake.wildcards.seed}", snakemake.log[0]):
    settings = {name: snakemake.params[name] for name in ("config", "runtime", "code")} | {"seed": int(snakemake.wildcards.seed)}
    pretrain_apn(
        Path(snakemake.input.images),
        Path(snakemake.input.extractor) if snakemake.input.extractor else None,
        PretrainApnConfig.model_validate(settings["config"]),
        RuntimeConfig.model_validate(settings["runtime"]),
        settings["seed"],
        TrainingOutputs.keyed(snakemake.output.weights, snakemake.output.history, settings, snakemake.input),
    )
