"""Rule choose_slicenet_cases: descriptors of two systems -> a query that both rank right, one of them, or none."""

from pathlib import Path

from qafm.companions.slicenet.choose_slicenet_cases import choose_slicenet_cases
from qafm.runtime.job import stage_job

with stage_job("choose_slicenet_cases", snakemake.log[0]):
    first, second = zip(snakemake.params.systems, map(Path, snakemake.input.descriptors), strict=True)
    choose_slicenet_cases(Path(snakemake.input.images), first, second, same_camera=snakemake.params.same_camera, out=Path(snakemake.output[0]))
