"""Rule plot_ranking: the example queries and their ranks -> Figures 9 and 10."""

from pathlib import Path

from qafm.config.figures import StyleConfig
from qafm.figures.plot_ranking import plot_ranking
from qafm.runtime.job import stage_job

with stage_job("plot_ranking", snakemake.log[0]):
    plot_ranking(
        Path(snakemake.input.images),
        Path(snakemake.input.ranking),
        Path(snakemake.input.examples),
        snakemake.params.run,
        StyleConfig.model_validate(snakemake.params.style),
        {kind: [Path(path) for path in snakemake.output[kind]] for kind in ("success", "failure")},
    )
