"""Rule write_companions_page: tables and figures of the companions -> companions.html."""

from pathlib import Path

from qafm.reporting.write_companions_page import CompanionsInputs, write_companions_page
from qafm.runtime.job import stage_job
from qafm.tables.table4 import Run

params = snakemake.params
with stage_job("write_companions_page", snakemake.log[0]):
    inputs = CompanionsInputs(
        run=Run(**params.run),
        seeds=params.config["seeds"],
        config=params.config,
        command=params.command,
        tables=params.tables,
        figures=params.figures,
        left_out=params.left_out,
    )
    write_companions_page(inputs, Path(snakemake.output[0]))
