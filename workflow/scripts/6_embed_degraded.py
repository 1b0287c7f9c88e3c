"""Rule embed_degraded: some queries, clean and degraded -> v_a, v_s, Q and w of each."""

from pathlib import Path

from qafm.config.degradations import DegradationsConfig
from qafm.config.fusion import FusedModelConfig
from qafm.config.q_network import QNetwork
from qafm.config.runtime import RuntimeConfig
from qafm.features.embed_degraded import embed_degraded
from qafm.features.new_images import QSource
from qafm.runtime.job import stage_job

with stage_job(f"embed_degraded seed {snakemake.wildcards.seed}", snakemake.log[0]):
    extractor = snakemake.input.extractor
    embed_degraded(
        Path(snakemake.input.images),
        Path(snakemake.input.weights),
        QSource(Path(extractor), QNetwork.model_validate(snakemake.params.q)) if extractor else None,
        DegradationsConfig.model_validate(snakemake.params.config),
        FusedModelConfig.model_validate(snakemake.params.model),
        RuntimeConfig.model_validate(snakemake.params.runtime),
        Path(snakemake.output[0]),
    )
