"""Rule plot_activation: activation maps -> Figure 8."""

from pathlib import Path

from qafm.config.figures import StyleConfig
from qafm.figures.plot_activation import plot_activation
from qafm.runtime.job import stage_job

with stage_job("plot_activation", snakemake.log[0]):
    plot_activation(
        Path(snakemake.input.maps),
        Path(snakemake.input.images),
        snakemake.params.run,
        StyleConfig.model_validate(snakemake.params.style),
        [Path(path) for path in snakemake.output],
    )
