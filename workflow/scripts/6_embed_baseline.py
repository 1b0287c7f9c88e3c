"""Rule embed_baseline: the baseline's weights -> its descriptor of every query, gallery and held-out image."""

from pathlib import Path

from qafm.config.backbone import BackboneConfig
from qafm.config.runtime import RuntimeConfig
from qafm.features.embed_baseline import embed_baseline
from qafm.runtime.job import stage_job

with stage_job(f"embed_baseline ({snakemake.wildcards.twin}) seed {snakemake.wildcards.seed}", snakemake.log[0]):
    embed_baseline(
        Path(snakemake.input.images),
        Path(snakemake.input.weights),
        BackboneConfig.model_validate(snakemake.params.backbone),
        RuntimeConfig.model_validate(snakemake.params.runtime),
        Path(snakemake.output[0]),
    )
