"""Rule map_activations: the example queries and the model -> what both branches look at."""

from pathlib import Path

from qafm.config.fusion import FusedModelConfig
from qafm.config.runtime import RuntimeConfig
from qafm.features.map_activations import map_activations
from qafm.runtime.job import stage_job

with stage_job("map_activations", snakemake.log[0]):
    map_activations(
        Path(snakemake.input.examples),
        Path(snakemake.input.images),
        Path(snakemake.input.quality),
        Path(snakemake.input.weights),
        FusedModelConfig.model_validate(snakemake.params.model),
        RuntimeConfig.model_validate(snakemake.params.runtime),
        Path(snakemake.output[0]),
    )
