"""Rule plot_comparison: retrieval artifacts and counts of all systems -> mAP by system and against cost."""

from pathlib import Path

from qafm.companions.comparison.compared_rows import ComparedFiles
from qafm.companions.comparison.plot_comparison import plot_comparison
from qafm.config.ablation import AblationConfig
from qafm.config.compared import ComparedSystem
from qafm.config.figures import StyleConfig
from qafm.runtime.job import labelled_files, stage_job

with stage_job("plot_comparison", snakemake.log[0]):
    plot_comparison(
        [ComparedFiles(ComparedSystem.model_validate(each["system"]), labelled_files(each["rows"])) for each in snakemake.params.systems],
        Path(snakemake.input.counts),
        snakemake.params.run,
        AblationConfig.model_validate(snakemake.params.config),
        StyleConfig.model_validate(snakemake.params.style),
        [Path(path) for path in snakemake.output],
    )
