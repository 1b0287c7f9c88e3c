"""Rule parse_dataset: raw images and attributes -> images.parquet, dataset.json."""

from pathlib import Path

from qafm.config.parse import ParseConfig
from qafm.datasets.parse_dataset import parse_dataset
from qafm.runtime.job import stage_job

with stage_job("parse_dataset", snakemake.log[0]):
    parse_dataset(
        ParseConfig.model_validate(snakemake.params.config),
        Path(snakemake.params.root),
        Path(snakemake.output.images),
        Path(snakemake.output.report),
    )
