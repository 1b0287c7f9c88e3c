"""Rule write_companions_page: tables and figures of the companion systems as one page that needs no network."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from qafm.reporting.report_figures import show_figure
from qafm.reporting.report_provenance import software
from qafm.reporting.report_tables import by_category, show_table
from qafm.reporting.write_page import write_page
from qafm.tables.table4 import Run


@dataclass(frozen=True)
class CompanionsInputs:
    """What the page is made of.

    Args:
        run: names of the run.
        seeds: of its models.
        config: the whole configuration, as plain mappings.
        command: that makes the run.
        tables: (title, category, CSV file, explanation in a sentence).
        figures: (title, category, PNG file, .rst file with its caption).
        left_out: (system, why it could not be made of this data set).
    """

    run: Run
    seeds: Sequence[int]
    config: dict[str, Any]
    command: str
    tables: Sequence[tuple[str, str, str | Path, str]]
    figures: Sequence[tuple[str, str, str | Path, str | Path]]
    left_out: Sequence[tuple[str, str]]


def write_companions_page(inputs: CompanionsInputs, out: Path) -> None:
    """Write the page; equal inputs on equal software give equal bytes.

    Args:
        inputs: what it is made of.
        out: the page.

    Raises:
        InputError: a table or figure cannot be read.
    """
    write_page(
        "companions.html.jinja",
        out,
        scripts=["large.js"],
        run=inputs.run,
        seeds=list(inputs.seeds),
        left_out=inputs.left_out,
        tables=by_category([(category, show_table(Path(path), title, explanation)) for title, category, path, explanation in inputs.tables]),
        figures=by_category([(category, show_figure(title, Path(png), Path(caption))) for title, category, png, caption in inputs.figures]),
        command=inputs.command,
        costs=[],  # comparison_cost.csv, one of the tables, has them
        weights=[],
        software=software(),
        config_yaml=yaml.safe_dump(inputs.config, sort_keys=False, allow_unicode=True, width=120),
    )
