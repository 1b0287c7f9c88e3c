"""Rule embed_siamese: an arm's weights -> descriptors of validation, query and gallery images."""

from pathlib import Path

from qafm.companions.par.embed_siamese import embed_siamese
from qafm.config.backbone import BackboneConfig
from qafm.config.par import IdentitySplitConfig
from qafm.config.runtime import RuntimeConfig
from qafm.runtime.job import stage_job

with stage_job(f"embed_siamese ({snakemake.wildcards.arm}) seed {snakemake.wildcards.seed}", snakemake.log[0]):
    embed_siamese(
        Path(snakemake.input.images),
        Path(snakemake.input.weights),
        BackboneConfig.model_validate(snakemake.params.backbone),
        IdentitySplitConfig.model_validate(snakemake.params.split),
        RuntimeConfig.model_validate(snakemake.params.runtime),
        Path(snakemake.output[0]),
    )
