"""Rule plot_parts: ranking, embeddings and part maps -> the pictures of a success and a failure."""

from pathlib import Path

from qafm.companions.bpbreid.plot_parts import plot_parts
from qafm.companions.bpbreid.ranked_parts import PartFiles
from qafm.config.figures import ExamplesConfig, StyleConfig
from qafm.runtime.job import stage_job

with stage_job("plot_parts", snakemake.log[0]):
    plot_parts(
        PartFiles(*(Path(snakemake.input[name]) for name in ("images", "ranking", "embeddings", "maps", "summary"))),
        ExamplesConfig.model_validate(snakemake.params.examples),
        snakemake.params.depth,
        snakemake.params.run,
        StyleConfig.model_validate(snakemake.params.style),
        Path(snakemake.output.chosen),
        {kind: [Path(path) for path in snakemake.output[kind]] for kind in ("success", "failure")},
        foreground=snakemake.params.foreground,
    )
