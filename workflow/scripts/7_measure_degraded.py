"""Rule measure_degraded: degraded queries and the gallery -> what the branches, QAFM and every fixed weight achieve."""

from pathlib import Path

from qafm.evaluation.measure_degraded import measure_degraded
from qafm.runtime.job import stage_job

with stage_job(f"measure_degraded seed {snakemake.wildcards.seed}", snakemake.log[0]):
    measure_degraded(
        *(Path(snakemake.input[name]) for name in ("images", "embeddings", "head", "degraded")),
        same_camera=snakemake.params.same_camera,
        grid=snakemake.params.grid,
        out=Path(snakemake.output[0]),
    )
