"""Rule embed_bpbreid: weights of one variant of BPBReID -> embeddings of every view, part maps, and how well these agree with the masks."""

from pathlib import Path

from qafm.companions.bpbreid.embed_bpbreid import PartOutputs, embed_bpbreid
from qafm.companions.bpbreid.views import VIEWS
from qafm.config.bpbreid import PartModelConfig
from qafm.config.runtime import RuntimeConfig
from qafm.runtime.job import stage_job

with stage_job(f"embed_bpbreid ({snakemake.wildcards.variant}) seed {snakemake.wildcards.seed}", snakemake.log[0]):
    embed_bpbreid(
        Path(snakemake.input.images),
        Path(snakemake.input.weights),
        Path(snakemake.params.masks) if snakemake.params.masks else None,
        snakemake.wildcards.variant,
        PartModelConfig.model_validate(snakemake.params.config),
        RuntimeConfig.model_validate(snakemake.params.runtime),
        snakemake.params.halves,
        PartOutputs({view: Path(snakemake.output[view]) for view in VIEWS}, *(Path(snakemake.output[name]) for name in ("descriptors", "maps", "summary"))),
    )
