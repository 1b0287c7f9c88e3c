"""Rule time_inference: settings -> milliseconds per image of all compared systems."""

from pathlib import Path

from qafm.companions.comparison.time_inference import time_inference
from qafm.config.compared import TimedNetwork
from qafm.config.runtime import RuntimeConfig
from qafm.runtime.job import stage_job

with stage_job("time_inference", snakemake.log[0]):
    time_inference(
        [TimedNetwork.model_validate(system) for system in snakemake.params.systems],
        snakemake.params.batch,
        snakemake.params.repeats,
        RuntimeConfig.model_validate(snakemake.params.runtime),
        Path(snakemake.output[0]),
    )
