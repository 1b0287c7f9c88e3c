"""Rule evaluate_descriptors: descriptors that are compared as they are -> one row of table4_extra.csv."""

from pathlib import Path

from qafm.evaluation.evaluate_descriptors import evaluate_descriptors
from qafm.runtime.job import stage_job

with stage_job(f"evaluate_descriptors seed {snakemake.wildcards.seed}", snakemake.log[0]):
    evaluate_descriptors(
        snakemake.wildcards.baseline,
        Path(snakemake.input.images),
        [Path(path) for path in snakemake.input.descriptors],
        same_camera=snakemake.params.same_camera,
        ranks=tuple(snakemake.params.ranks),
        note=snakemake.params.note,
        out=Path(snakemake.output[0]),
    )
