"""Rule plot_training: learning curves -> a panel per loss."""

from pathlib import Path

from qafm.config.figures import StyleConfig
from qafm.figures.plot_training import plot_training
from qafm.runtime.job import labelled_files, stage_job

with stage_job("plot_training", snakemake.log[0]):
    plot_training(
        labelled_files(snakemake.params.histories),
        snakemake.params.run,
        StyleConfig.model_validate(snakemake.params.style),
        [Path(path) for path in snakemake.output],
    )
