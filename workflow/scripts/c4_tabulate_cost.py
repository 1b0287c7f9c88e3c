"""Rule tabulate_cost: records of time and measured inference of all systems -> comparison_cost.csv."""

from pathlib import Path

from qafm.companions.comparison.tabulate_cost import Records, tabulate_cost
from qafm.config.compared import ComparedSystem
from qafm.config.runtime import RuntimeConfig
from qafm.runtime.job import stage_job
from qafm.tables.table4 import Run

with stage_job("tabulate_cost", snakemake.log[0]):
    tabulate_cost(
        [ComparedSystem.model_validate(system) for system in snakemake.params.systems],
        {key: Records(*([Path(path) for path in paths[kind]] for kind in ("trainings", "before"))) for key, paths in snakemake.params.records.items()},
        Path(snakemake.input.inference),
        Run(**snakemake.params.run),
        RuntimeConfig.model_validate(snakemake.params.runtime),
        Path(snakemake.output[0]),
    )
