"""Rule train_siamese: images.parquet, PAR weights, the other arm's learning curves -> an arm's weights and learning curve."""

from pathlib import Path

from qafm.companions.par.train_siamese import train_siamese
from qafm.config.par import TrainSiameseConfig
from qafm.config.runtime import RuntimeConfig
from qafm.runtime.job import stage_job
from qafm.training.stage import TrainingOutputs

with stage_job(f"train_siamese ({snakemake.wildcards.arm}) seed {snakemake.wildcards.seed}", snakemake.log[0]):
    settings = {name: snakemake.params[name] for name in ("config", "runtime", "code")} | {"seed": int(snakemake.wildcards.seed)}
    train_siamese(
        Path(snakemake.input.images),
        Path(snakemake.input.par) if snakemake.input.par else None,
        TrainSiameseConfig.model_validate(settings["config"]),
        RuntimeConfig.model_validate(settings["runtime"]),
        settings["seed"],
        TrainingOutputs.keyed(snakemake.output.weights, snakemake.output.history, settings, snakemake.input),
        [Path(path) for path in snakemake.input.as_long_as],
    )
