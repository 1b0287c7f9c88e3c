"""`qafm index`: makes the search of a large gallery fast."""

from pathlib import Path
from typing import Annotated

import typer

from qafm.cli.image_files import shown
from qafm.cli.options import AsJson
from qafm.cli.output import check_target, print_json


def index(
    gallery: Annotated[Path, typer.Argument(help="What `qafm embed` made.", show_default=False)],
    recall: Annotated[float, typer.Option(help="Share of the 10 nearest images that has to be found, in (0, 1).")] = 0.95,
    as_json: AsJson = False,
) -> None:
    """Make an index beside a gallery, and measure what it finds. Worth it from some 100,000 images on; below, exact search is as fast.

    **qafm search** uses it as long as the gallery stays as it is; after images were added, make it again.
    """
    from qafm.galleries.index_file import index_path

    path = index_path(gallery)
    check_target(path)
    from qafm.galleries.build_index import build_index

    record = build_index(gallery, recall=recall)
    if as_json:
        print_json({"gallery": shown(gallery), "index": shown(path), **vars(record)})
        return
    across = "" if record.recall_at_10_cross_camera is None else f", {100 * record.recall_at_10_cross_camera:.1f} % across cameras"
    lists = f"{record.lists} list{'s' * (record.lists != 1)}"
    name = path if gallery.is_symlink() else gallery.with_name(path.name)
    typer.echo(f"{shown(name)}: {record.rows} images in {lists}, {record.probes} read per search")
    typer.echo(f"finds {100 * record.recall_at_10:.1f} % of the 10 nearest{across} ({record.sample} searches); {record.faiss_bytes / 2**20:.1f} MiB")
