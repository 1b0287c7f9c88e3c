"""Rule score_attributes: APAN's weights of stage 1 or 2 -> how well it knows the attributes."""

from pathlib import Path

from qafm.config.fusion import ArchitectureConfig
from qafm.config.runtime import RuntimeConfig
from qafm.features.score_attributes import score_attributes
from qafm.runtime.job import stage_job

with stage_job(f"score_attributes ({snakemake.wildcards.stage}) seed {snakemake.wildcards.seed}", snakemake.log[0]):
    architecture = ArchitectureConfig.model_validate(snakemake.params.architecture)
    score_attributes(
        Path(snakemake.input.weights),
        snakemake.wildcards.stage,
        Path(snakemake.input.images),
        architecture.backbone,
        architecture.apan,
        RuntimeConfig.model_validate(snakemake.params.runtime),
        Path(snakemake.output[0]),
    )
