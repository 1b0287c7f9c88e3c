"""Rule plot_iqa_branch: the model's description and an image -> Figure 3."""

from pathlib import Path

from qafm.config.figures import StyleConfig
from qafm.config.perturb import PerturbConfig
from qafm.config.quality import QualityConfig
from qafm.figures.plot_iqa_branch import plot_iqa_branch
from qafm.runtime.job import stage_job

with stage_job("plot_iqa_branch", snakemake.log[0]):
    plot_iqa_branch(
        Path(snakemake.input.description),
        Path(snakemake.input.images),
        PerturbConfig.model_validate(snakemake.params.perturb),
        QualityConfig.model_validate(snakemake.params.quality),
        snakemake.params.run,
        StyleConfig.model_validate(snakemake.params.style),
        [Path(path) for path in snakemake.output],
    )
