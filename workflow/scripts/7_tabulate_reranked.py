"""Rule tabulate_reranked: the rows' artifacts before and after re-ranking -> reranked.csv."""

from pathlib import Path

from qafm.config.ablation import AblationConfig
from qafm.evaluation.tabulate_reranked import tabulate_reranked
from qafm.runtime.job import labelled_files, stage_job
from qafm.tables.table4 import Run

with stage_job("tabulate_reranked", snakemake.log[0]):
    before, after = labelled_files(snakemake.params.before), labelled_files(snakemake.params.after)
    tabulate_reranked(before, after, Run(**snakemake.params.run), AblationConfig.model_validate(snakemake.params.config), Path(snakemake.output[0]))
