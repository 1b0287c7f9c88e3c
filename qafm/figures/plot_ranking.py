"""Figures 9 and 10: the query that stands for a success and the one that stands for a failure, each beside its first ranks."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from qafm.config.figures import StyleConfig
from qafm.figures.plot_nothing import plot_nothing
from qafm.figures.plot_query import plot_query
from qafm.tables.examples import Kind, read_examples

_SIDE: dict[Kind, str] = {"success": "right", "failure": "wrong"}


def plot_ranking(images: Path, ranking: Path, examples: Path, run: str, style: StyleConfig, paths: Mapping[Kind, Sequence[Path]]) -> None:
    """Draw a figure per kind; of a kind that no query of the run is of, the figure says so.

    Args:
        images: images.parquet.
        ranking: ranking.parquet.
        examples: examples.json.
        run: what the run is called in title and caption.
        style: size and resolution.
        paths: per kind the files to write, one per format; .rst is the caption.

    Raises:
        InputError: an example is not in `ranking`, an image is not in `images` or cannot be read.
    """
    chosen = read_examples(examples)
    for kind, files in paths.items():
        if kind in chosen:
            plot_query(images, ranking, chosen[kind].query, kind, chosen[kind].rule, run, style, files)
        else:
            plot_nothing(f"No query of this run has a {_SIDE[kind]} first rank, so there is no {kind} to show.", run, style, files)
