"""Rule embed_views: the Bag-of-Tricks baseline -> its descriptors of people seen whole and in part."""

from pathlib import Path

from qafm.companions.bpbreid.embed_views import embed_views
from qafm.companions.bpbreid.views import VIEWS
from qafm.config.backbone import BackboneConfig
from qafm.config.runtime import RuntimeConfig
from qafm.runtime.job import stage_job

with stage_job(f"embed_views seed {snakemake.wildcards.seed}", snakemake.log[0]):
    embed_views(
        Path(snakemake.input.images),
        Path(snakemake.input.weights),
        BackboneConfig.model_validate(snakemake.params.backbone),
        RuntimeConfig.model_validate(snakemake.params.runtime),
        snakemake.params.halves,
        {view: Path(snakemake.output[view]) for view in VIEWS},
    )
