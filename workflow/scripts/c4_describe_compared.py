"""Rule describe_compared: learning curves, settings -> operations, parameters, descriptor lengths and images seen of all compared systems."""

from pathlib import Path

from qafm.companions.comparison.describe_compared import Curves, describe_compared
from qafm.config.compared import ComparedSystem
from qafm.runtime.job import stage_job

with stage_job("describe_compared", snakemake.log[0]):
    describe_compared(
        [
            Curves(ComparedSystem.model_validate(each["system"]), [[Path(path) for path in histories] for histories in each["histories"]])
            for each in snakemake.params.systems
        ],
        Path(snakemake.output[0]),
    )
