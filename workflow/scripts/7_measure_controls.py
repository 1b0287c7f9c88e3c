"""Rule measure_controls: what chance, background, colour and true attributes alone reach on the synthetic set."""

from pathlib import Path

from qafm.config.controls import ControlsConfig
from qafm.evaluation.measure_controls import measure_controls
from qafm.runtime.job import stage_job

with stage_job("measure_controls", snakemake.log[0]):
    measure_controls(
        Path(snakemake.input.images),
        Path(snakemake.params.raw),
        Path(snakemake.input.manifest),
        Path(snakemake.output[0]),
        ControlsConfig.model_validate(snakemake.params.config),
        snakemake.params.same_camera,
    )
