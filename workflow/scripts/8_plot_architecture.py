"""Rule plot_architecture: the model's description -> Figure 2."""

from pathlib import Path

from qafm.config.figures import StyleConfig
from qafm.figures.plot_architecture import plot_architecture
from qafm.runtime.job import stage_job

with stage_job("plot_architecture", snakemake.log[0]):
    plot_architecture(
        Path(snakemake.input.description),
        snakemake.params.run,
        StyleConfig.model_validate(snakemake.params.style),
        [Path(path) for path in snakemake.output],
        computed=snakemake.params.computed,
    )
