"""Rule describe_quality: Q(I) and the images -> quality.csv, what Q measures."""

from pathlib import Path

from qafm.quality.describe_quality import describe_quality
from qafm.runtime.job import stage_job

with stage_job("describe_quality", snakemake.log[0]):
    describe_quality(
        Path(snakemake.input.images),
        Path(snakemake.input.quality),
        Path(snakemake.input.compare) if snakemake.input.compare else None,
        dataset=snakemake.params.dataset,
        features=snakemake.params.features,
        samples=snakemake.params.samples,
        seed=snakemake.params.seed,
        out=Path(snakemake.output[0]),
    )
