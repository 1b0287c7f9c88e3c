"""Rule measure_oracle: two descriptors of every image -> what the weight between them can do, per query."""

from pathlib import Path

from qafm.evaluation.load_branch import Source
from qafm.evaluation.measure_oracle import measure_oracle
from qafm.runtime.job import stage_job

with stage_job(f"measure_oracle seed {snakemake.wildcards.seed}", snakemake.log[0]):
    sides = zip((snakemake.input.first, snakemake.input.second), snakemake.params.branches, strict=True)
    first, second = (Source(*map(Path, files), branch=branch) for files, branch in sides)
    measure_oracle(
        snakemake.wildcards.pair,
        Path(snakemake.input.images),
        first,
        second,
        same_camera=snakemake.params.same_camera,
        **snakemake.params.config,
        out=Path(snakemake.output[0]),
    )
