"""Rule score_quality: features of all variants -> Q(I)."""

from pathlib import Path

from qafm.config.perturb import PerturbConfig
from qafm.config.quality import QualityConfig
from qafm.perturbations.catalog import variant_families
from qafm.quality.score_quality import score_quality
from qafm.runtime.job import stage_job

with stage_job("score_quality", snakemake.log[0]):
    score_quality(
        Path(snakemake.input.images),
        [Path(shard) for shard in snakemake.input.features],
        QualityConfig.model_validate(snakemake.params.config),
        variant_families(PerturbConfig.model_validate(snakemake.params.perturb)),
        Path(snakemake.output.quality),
        Path(snakemake.output.summary),
    )
