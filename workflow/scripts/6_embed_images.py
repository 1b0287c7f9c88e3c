"""Rule embed_images: QAFM's weights -> v_a, v_s, Q and w of every query, gallery and held-out image."""

from pathlib import Path

from qafm.config.fusion import FusedModelConfig
from qafm.config.runtime import RuntimeConfig
from qafm.features.embed_images import embed_images
from qafm.runtime.job import stage_job

with stage_job(f"embed_images ({snakemake.wildcards.fusion}) seed {snakemake.wildcards.seed}", snakemake.log[0]):
    embed_images(
        Path(snakemake.input.images),
        Path(snakemake.input.quality),
        Path(snakemake.input.weights),
        FusedModelConfig.model_validate(snakemake.params.model),
        RuntimeConfig.model_validate(snakemake.params.runtime),
        out=Path(snakemake.output.embeddings),
        head=Path(snakemake.output.head),
    )
