"""Rule tabulate_comparison: retrieval artifacts and counts of all systems -> comparison.csv."""

from pathlib import Path

from qafm.companions.comparison.compared_rows import ComparedFiles
from qafm.companions.comparison.tabulate_comparison import tabulate_comparison
from qafm.config.ablation import AblationConfig
from qafm.config.compared import ComparedSystem
from qafm.runtime.job import labelled_files, stage_job
from qafm.tables.table4 import Run

with stage_job("tabulate_comparison", snakemake.log[0]):
    tabulate_comparison(
        [ComparedFiles(ComparedSystem.model_validate(each["system"]), labelled_files(each["rows"])) for each in snakemake.params.systems],
        Path(snakemake.input.counts),
        [(system, recipe, reason) for system, recipe, reason in snakemake.params.absent],
        Run(**snakemake.params.run),
        AblationConfig.model_validate(snakemake.params.config),
        Path(snakemake.output[0]),
    )
