"""Rule train_fusion: both branches and Q -> QAFM's weights and learning curve."""

from qafm.config.fusion import ArchitectureConfig, TrainFusionConfig
from qafm.config.runtime import RuntimeConfig
from qafm.runtime.job import stage_job
from qafm.training.stage import TrainingOutputs
from qafm.training.train_fusion import FusionInputs, train_fusion

with stage_job(f"train_fusion ({snakemake.wildcards.fusion}) seed {snakemake.wildcards.seed}", snakemake.log[0]):
    settings = {name: snakemake.params[name] for name in ("architecture", "fusion", "same_camera", "runtime", "code")} | {"seed": int(snakemake.wildcards.seed)}
    train_fusion(
        FusionInputs.of(**{name: snakemake.input[name] for name in ("images", "quality", "summary", "apn", "apan", "extractor")}),
        ArchitectureConfig.model_validate(settings["architecture"]),
        TrainFusionConfig.model_validate(settings["fusion"]),
        settings["same_camera"],
        RuntimeConfig.model_validate(settings["runtime"]),
        settings["seed"],
        TrainingOutputs.keyed(snakemake.output.weights, snakemake.output.history, settings, snakemake.input),
    )
