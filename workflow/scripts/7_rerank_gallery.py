"""Rule rerank_gallery: embeddings -> one row after k-reciprocal re-ranking."""

from pathlib import Path

from qafm.config.rerank import RerankConfig
from qafm.evaluation.rerank_gallery import rerank_gallery
from qafm.runtime.job import stage_job

with stage_job(f"rerank_gallery seed {snakemake.wildcards.seed}", snakemake.log[0]):
    rerank_gallery(
        snakemake.wildcards.experiment,
        Path(snakemake.input.images),
        Path(snakemake.input.embeddings),
        Path(snakemake.input.head),
        same_camera=snakemake.params.same_camera,
        ranks=tuple(snakemake.params.ranks),
        config=RerankConfig.model_validate(snakemake.params.config),
        out=Path(snakemake.output[0]),
    )
