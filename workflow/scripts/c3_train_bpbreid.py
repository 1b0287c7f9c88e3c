"""Rule train_bpbreid: images, part masks, extractor -> weights and learning curve of one variant of BPBReID."""

from pathlib import Path

from qafm.companions.bpbreid.train_bpbreid import PartInputs, train_bpbreid
from qafm.config.bpbreid import TrainBpbreidConfig
from qafm.config.runtime import RuntimeConfig
from qafm.runtime.job import stage_job
from qafm.training.stage import TrainingOutputs

with stage_job(f"train_bpbreid ({snakemake.wildcards.variant}) seed {snakemake.wildcards.seed}", snakemake.log[0]):
    settings = {name: snakemake.params[name] for name in ("config", "mask_contents", "runtime", "code")}
    settings |= {"variant": snakemake.wildcards.variant, "seed": int(snakemake.wildcards.seed)}
    optional = [Path(path) if path else None for path in (snakemake.input.extractor, snakemake.params.masks)]
    train_bpbreid(
        PartInputs(Path(snakemake.input.images), *optional),
        settings["variant"],
        TrainBpbreidConfig.model_validate(settings["config"]),
        RuntimeConfig.model_validate(settings["runtime"]),
        settings["seed"],
        TrainingOutputs.keyed(snakemake.output.weights, snakemake.output.history, settings, snakemake.input),
    )
