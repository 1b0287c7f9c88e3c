"""Rule tabulate_deciles: the rows' artifacts and the queries' Q -> deciles.csv."""

from pathlib import Path

from qafm.config.ablation import AblationConfig
from qafm.evaluation.tabulate_deciles import tabulate_deciles
from qafm.runtime.job import labelled_files, stage_job
from qafm.tables.table4 import Run

with stage_job("tabulate_deciles", snakemake.log[0]):
    tabulate_deciles(
        labelled_files(snakemake.params.rows),
        Path(snakemake.input.embeddings),
        Run(**snakemake.params.run),
        AblationConfig.model_validate(snakemake.params.config),
        Path(snakemake.output[0]),
    )
