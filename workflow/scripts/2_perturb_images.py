"""Rule perturb_images: images.parquet -> one shard of perturbed images."""

from pathlib import Path

from qafm.config.perturb import PerturbConfig
from qafm.perturbations.perturb_images import perturb_images
from qafm.runtime.job import stage_job

with stage_job(f"perturb_images {snakemake.wildcards.shard}", snakemake.log[0]):
    perturb_images(
        Path(snakemake.input.images),
        PerturbConfig.model_validate(snakemake.params.config),
        int(snakemake.wildcards.shard),
        snakemake.params.shards,
        Path(snakemake.output[0]),
    )
