"""Rule extract_features: one shard of perturbed images -> features."""

from pathlib import Path

from qafm.config.backbone import BackboneConfig
from qafm.config.features import ExtractConfig
from qafm.config.runtime import RuntimeConfig
from qafm.features.extract_features import extract_features
from qafm.runtime.job import stage_job

with stage_job(f"extract_features {snakemake.wildcards.shard}", snakemake.log[0]):
    extract_features(
        Path(snakemake.input.perturbed),
        Path(snakemake.input.weights),
        BackboneConfig.model_validate(snakemake.params.backbone),
        ExtractConfig.model_validate(snakemake.params.extract),
        RuntimeConfig.model_validate(snakemake.params.runtime),
        Path(snakemake.output[0]),
    )
