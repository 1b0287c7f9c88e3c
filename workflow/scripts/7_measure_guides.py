"""Rule measure_guides: embeddings, Q and pictures -> what each guide of the weight achieves, per query."""

from pathlib import Path

from qafm.guides.measure_guides import measure_guides
from qafm.runtime.job import stage_job

with stage_job(f"measure_guides seed {snakemake.wildcards.seed}", snakemake.log[0]):
    measure_guides(
        *(Path(snakemake.input[name]) for name in ("images", "embeddings", "head", "quality")),
        Path(snakemake.input.compare) if snakemake.input.compare else None,
        same_camera=snakemake.params.same_camera,
        **snakemake.params.config,
        out=Path(snakemake.output[0]),
    )
