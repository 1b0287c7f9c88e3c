"""Rule predict_par: a PAR network's weights -> the attributes of validation, query and gallery images."""

from pathlib import Path

from qafm.companions.par.predict_par import predict_par
from qafm.config.backbone import BackboneConfig
from qafm.config.par import IdentitySplitConfig
from qafm.config.runtime import RuntimeConfig
from qafm.runtime.job import stage_job

with stage_job(f"predict_par ({snakemake.wildcards.loss}) seed {snakemake.wildcards.seed}", snakemake.log[0]):
    predict_par(
        Path(snakemake.input.images),
        Path(snakemake.input.weights),
        BackboneConfig.model_validate(snakemake.params.backbone),
        IdentitySplitConfig.model_validate(snakemake.params.split),
        RuntimeConfig.model_validate(snakemake.params.runtime),
        Path(snakemake.output[0]),
    )
