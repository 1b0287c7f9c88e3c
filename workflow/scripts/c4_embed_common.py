"""Rule embed_common: weights of a training under the common recipe -> descriptors of query and gallery."""

from pathlib import Path

from qafm.companions.comparison.embed_common import embed_common
from qafm.config.common_recipe import CommonNetworkConfig
from qafm.config.runtime import RuntimeConfig
from qafm.runtime.job import stage_job

with stage_job(f"embed_common ({snakemake.wildcards.common}) seed {snakemake.wildcards.seed}", snakemake.log[0]):
    embed_common(
        Path(snakemake.input.images),
        Path(snakemake.input.weights),
        CommonNetworkConfig.model_validate(snakemake.params.config),
        RuntimeConfig.model_validate(snakemake.params.runtime),
        Path(snakemake.output[0]),
    )
