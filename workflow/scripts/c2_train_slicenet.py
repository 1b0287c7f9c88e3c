"""Rule train_slicenet: images.parquet -> weights and learning curve of BigNet, SliceNet1 or SliceNet2."""

from pathlib import Path

from qafm.companions.slicenet.train_slicenet import train_slicenet
from qafm.config.runtime import RuntimeConfig
from qafm.config.sliced_net import TrainSlicenetConfig
from qafm.runtime.job import stage_job
from qafm.training.stage import TrainingOutputs

with stage_job(f"train_slicenet ({snakemake.wildcards.system}) seed {snakemake.wildcards.seed}", snakemake.log[0]):
    settings = {name: snakemake.params[name] for name in ("config", "runtime", "code")} | {"seed": int(snakemake.wildcards.seed)}
    train_slicenet(
        Path(snakemake.input.images),
        TrainSlicenetConfig.model_validate(settings["config"]),
        RuntimeConfig.model_validate(settings["runtime"]),
        settings["seed"],
        TrainingOutputs.keyed(snakemake.output.weights, snakemake.output.history, settings, snakemake.input),
    )
