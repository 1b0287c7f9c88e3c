"""Rule rank_gallery: embeddings -> the first ranks of every query."""

from pathlib import Path

from qafm.evaluation.rank_gallery import rank_gallery
from qafm.runtime.job import stage_job

with stage_job(f"rank_gallery seed {snakemake.wildcards.seed}", snakemake.log[0]):
    rank_gallery(
        Path(snakemake.input.images),
        Path(snakemake.input.embeddings),
        Path(snakemake.input.head),
        same_camera=snakemake.params.same_camera,
        depth=snakemake.params.depth,
        out=Path(snakemake.output[0]),
    )
