"""Rule embed_fused_views: QAFM -> its descriptors of people seen whole and in part."""

from pathlib import Path

from qafm.companions.bpbreid.embed_fused_views import embed_fused_views
from qafm.companions.bpbreid.views import VIEWS
from qafm.config.fusion import FusedModelConfig
from qafm.config.q_network import QNetwork
from qafm.config.runtime import RuntimeConfig
from qafm.features.new_images import QSource
from qafm.runtime.job import stage_job

with stage_job(f"embed_fused_views seed {snakemake.wildcards.seed}", snakemake.log[0]):
    extractor = snakemake.input.extractor
    embed_fused_views(
        Path(snakemake.input.images),
        Path(snakemake.input.quality),
        Path(snakemake.input.weights),
        QSource(Path(extractor), QNetwork.model_validate(snakemake.params.q)) if extractor else None,
        FusedModelConfig.model_validate(snakemake.params.model),
        RuntimeConfig.model_validate(snakemake.params.runtime),
        snakemake.params.halves,
        {view: Path(snakemake.output[view]) for view in VIEWS},
    )
