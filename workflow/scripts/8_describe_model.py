"""Rule describe_model: the configured networks -> shapes and parameter counts of their blocks."""

from pathlib import Path

from qafm.config.backbone import BackboneConfig
from qafm.config.fusion import ArchitectureConfig, TrainFusionConfig
from qafm.models.describe_model import count_train_ids, describe_model
from qafm.runtime.job import stage_job

with stage_job("describe_model", snakemake.log[0]):
    describe_model(
        ArchitectureConfig.model_validate(snakemake.params.architecture),
        TrainFusionConfig.model_validate(snakemake.params.fusion),
        BackboneConfig.model_validate(snakemake.params.extractor),
        count_train_ids(Path(snakemake.input.images)),
        Path(snakemake.output[0]),
    )
