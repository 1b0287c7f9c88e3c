"""Rule train_par: images.parquet -> a PAR network's weights and learning curve."""

from pathlib import Path

from qafm.companions.par.train_par import train_par
from qafm.config.par import TrainParConfig
from qafm.config.runtime import RuntimeConfig
from qafm.runtime.job import stage_job
from qafm.training.stage import TrainingOutputs

with stage_job(f"train_par ({snakemake.wildcards.loss}) seed {snakemake.wildcards.seed}", snakemake.log[0]):
    settings = {name: snakemake.params[name] for name in ("config", "runtime", "code")} | {"seed": int(snakemake.wildcards.seed)}
    train_par(
        Path(snakemake.input.images),
        TrainParConfig.model_validate(settings["config"]),
        RuntimeConfig.model_validate(settings["runtime"]),
        settings["seed"],
        TrainingOutputs.keyed(snakemake.output.weights, snakemake.output.history, settings, snakemake.input),
    )
