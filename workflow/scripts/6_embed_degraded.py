"""Rule embed_degraded: some queries, clean and degraded -> v_a, v_s, Q and w of each."""

from pathlib import Path

from qafm.config.backbone import BackboneConfig
from qafm.config.degradations import DegradationsConfig
from qafm.config.fusion import FusedModelConfig
from qafm.config.perturb import PerturbConfig
from qafm.config.quality import QualityConfig
from qafm.config.runtime import RuntimeConfig
from qafm.features.embed_degraded import QSource, embed_degraded
from qafm.runtime.job import stage_job

with stage_job(f"embed_degraded seed {snakemake.wildcards.seed}", snakemake.log[0]):
    kinds = (BackboneConfig, PerturbConfig, QualityConfig)
    settings = [kind.model_validate(given) for kind, given in zip(kinds, snakemake.params.q, strict=True)]
    embed_degraded(
        Path(snakemake.input.images),
        Path(snakemake.input.weights),
        QSource(Path(snakemake.input.extractor), *settings) if snakemake.input.extractor else None,
        DegradationsConfig.model_validate(snakemake.params.config),
        FusedModelConfig.model_validate(snakemake.params.model),
        RuntimeConfig.model_validate(snakemake.params.runtime),
        Path(snakemake.output[0]),
    )
