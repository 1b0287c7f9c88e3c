"""Rule plot_match_reliability: calibration -> reliability diagram and DET curve."""

from pathlib import Path

from qafm.config.figures import StyleConfig
from qafm.figures.plot_match_reliability import plot_match_reliability
from qafm.runtime.job import stage_job

with stage_job("plot_match_reliability", snakemake.log[0]):
    plot_match_reliability(
        Path(snakemake.input.calibration),
        snakemake.params.run,
        StyleConfig.model_validate(snakemake.params.style),
        [Path(path) for path in snakemake.output],
    )
