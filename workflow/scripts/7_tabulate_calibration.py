"""Rule tabulate_calibration: the seeds' calibrations -> calibration.csv."""

from pathlib import Path

from qafm.calibration.tabulate_calibration import tabulate_calibration
from qafm.runtime.job import stage_job
from qafm.tables.table4 import Run

with stage_job("tabulate_calibration", snakemake.log[0]):
    tabulate_calibration(
        [(seed, Path(path)) for seed, path in snakemake.params.files],
        Run(**snakemake.params.run),
        Path(snakemake.output[0]),
    )
