"""Rule choose_examples: ranking -> the queries of Figures 8, 9 and 10."""

from pathlib import Path

from qafm.config.figures import ExamplesConfig
from qafm.evaluation.choose_examples import choose_examples
from qafm.runtime.job import stage_job

with stage_job("choose_examples", snakemake.log[0]):
    choose_examples(Path(snakemake.input.ranking), ExamplesConfig.model_validate(snakemake.params.config), Path(snakemake.output[0]))
