"""Rule embed_images: QAFM's weights -> v_a, v_s, Q and w of every query, gallery and held-out image."""

from pathlib import Path

from qafm.config.fusion import ArchitectureConfig, TrainFusionConfig
from qafm.config.runtime import RuntimeConfig
from qafm.features.embed_images import embed_images
from qafm.runtime.job import stage_job

with stage_job(f"embed_images ({snakemake.wildcards.fusion}) seed {snakemake.wildcards.seed}", snakemake.log[0]):
    embed_images(
        Path(snakemake.input.images),
        Path(snakemake.input.quality),
        Path(snakemake.input.weights),
        ArchitectureConfig.model_validate(snakemake.params.architecture),
        TrainFusionConfig.model_validate(snakemake.params.fusion),
        RuntimeConfig.model_validate(snakemake.params.runtime),
        out=Path(snakemake.output.embeddings),
        head=Path(snakemake.output.head),
    )
