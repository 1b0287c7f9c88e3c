"""Rule generate_synthetic: config -> images in Market-1501's layout and their manifest."""

from pathlib import Path

from qafm.config.synthetic import SyntheticConfig
from qafm.datasets.generate_synthetic import generate_synthetic
from qafm.runtime.job import stage_job

with stage_job("generate_synthetic", snakemake.log[0]):
    generate_synthetic(SyntheticConfig.model_validate(snakemake.params.config), Path(snakemake.params.raw), Path(snakemake.output.manifest))
