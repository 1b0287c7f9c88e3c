"""Rule embed_slicenet: images.parquet, weights -> descriptors of query and gallery."""

from pathlib import Path

from qafm.companions.slicenet.embed_slicenet import embed_slicenet
from qafm.config.runtime import RuntimeConfig
from qafm.config.sliced_net import NetworkConfig
from qafm.runtime.job import stage_job

with stage_job(f"embed_slicenet ({snakemake.wildcards.row}) seed {snakemake.wildcards.seed}", snakemake.log[0]):
    embed_slicenet(
        Path(snakemake.input.images),
        Path(snakemake.input.weights),
        NetworkConfig.model_validate(snakemake.params.config),
        RuntimeConfig.model_validate(snakemake.params.runtime),
        sign=snakemake.params.sign,
        out=Path(snakemake.output[0]),
    )
