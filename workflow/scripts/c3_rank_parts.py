"""Rule rank_parts: embeddings -> the first ranks of every query by its visible parts."""

from pathlib import Path

from qafm.companions.bpbreid.rank_parts import rank_parts
from qafm.runtime.job import stage_job

with stage_job(f"rank_parts ({snakemake.wildcards.variant}) seed {snakemake.wildcards.seed}", snakemake.log[0]):
    rank_parts(
        Path(snakemake.input.images),
        Path(snakemake.input.embeddings),
        foreground=snakemake.params.foreground,
        same_camera=snakemake.params.same_camera,
        depth=snakemake.params.depth,
        out=Path(snakemake.output[0]),
    )
