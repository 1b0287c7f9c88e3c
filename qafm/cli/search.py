"""`qafm search`: the nearest images of a gallery."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from qafm.cli.found import FoundQuery, found_hit
from qafm.cli.image_files import Usable, shown, tell_left_out, usable_images
from qafm.cli.naming import CameraOption, Named, Names, NamesOption, camera_pattern, read_name
from qafm.cli.options import AsJson, DeviceName, ModelPath, load_model
from qafm.cli.output import check_target, number, print_json, print_table, remark
from qafm.config.choices import Device
from qafm.errors import InputError
from qafm.galleries.choices import Approximate
from qafm.runtime.files import file_sha256

if TYPE_CHECKING:
    from qafm.inference.model import ReidModel


def search(
    queries: Annotated[list[Path], typer.Argument(metavar="QUERY", help="Images to search for, or folders of them.", show_default=False)],
    gallery: Annotated[Path, typer.Option("--gallery", "-g", help="What `qafm embed` made.", show_default=False)],
    top: Annotated[int, typer.Option(min=1, help="Images found per query.")] = 10,
    html: Annotated[Path | None, typer.Option(help="Write a page with pictures, self-contained.", show_default=False)] = None,
    png: Annotated[Path | None, typer.Option(help="Write a picture: 12 hits to a row, at most 30 rows.", show_default=False)] = None,
    model: ModelPath = None,
    device: DeviceName = "auto",
    names: NamesOption = "none",
    cameras: CameraOption = None,
    exclude_self: Annotated[bool, typer.Option("--exclude-self", help="Leave out the query image itself, whatever its name.")] = False,
    exclude_camera: Annotated[bool, typer.Option("--exclude-camera", help="Leave out images of the query's camera.")] = False,
    approximate: Annotated[Approximate, typer.Option(help="Use the index that `qafm index` made: auto: where there is a valid one.")] = "auto",
    as_json: AsJson = False,
) -> None:
    """Find the images of a gallery that are nearest to a query.

    Distances are Euclidean, of unit descriptors: 0 (equal) to 2. Where the identities of query and gallery are known (--names), ✓ and a green frame mean
    the same person, ✗ and an orange dashed frame another one.
    """
    from qafm.galleries.exclusions import Exclusions
    from qafm.galleries.search_gallery import search_gallery
    from qafm.inference.searched_gallery import checked_top

    pattern = camera_pattern(cameras)
    usable = usable_images(queries)
    files, named = _named(usable, names, pattern)
    if exclude_camera and any(one.camid is None for one in named):
        raise typer.BadParameter("needs the cameras of the queries: --names market, or --camera-pattern", param_hint="--exclude-camera")
    for path, endings in ((html, (".html", ".htm")), (png, (".png",))):
        if path is not None:
            check_target(path, endings=endings, inputs=[gallery, *usable.files])
    loaded, with_q, rows = _model_of(gallery, model, device, cameras=exclude_camera)
    made_by = {"model_id": loaded.gallery_id(quality=with_q), "model": loaded.name}
    top = checked_top(gallery, **made_by, top=max(1, min(top, rows)), approximate=approximate)
    embedded = loaded.embed(files, quality=with_q)
    exclude = Exclusions([file_sha256(file) for file in files] if exclude_self else None, [one.camid for one in named] if exclude_camera else None)
    hits = search_gallery(gallery, embedded.descriptor, **made_by, top=top, approximate=approximate, exclude=exclude)
    found = [
        FoundQuery(file, one, float(q), float(w), [found_hit(hit, one, gallery) for hit in hits.of(row)])
        for row, (file, one, q, w) in enumerate(zip(files, named, embedded.q, embedded.visual_weight, strict=True))
    ]
    written = _write_pictures(found, html, png, f"{shown(gallery)}, searched by {loaded.name}")
    if as_json:
        about = {"model": loaded.name, "model_id": loaded.model_id, "gallery": shown(gallery), "exact": hits.exact}
        print_json(about | {"queries": [_content(query) for query in found], "left_out": usable.left_out})
        return
    _print(found, hits.exact)
    for path in written:
        typer.echo(f"written: {shown(path)}", err=True)


def _named(usable: Usable, names: Names, cameras: re.Pattern[str] | None) -> tuple[list[Path], list[Named]]:
    """The queries and what their names say; an image of a folder whose name cannot be used is left out, as one that cannot be decoded.

    Raises:
        InputError: the name of an image that was named itself does not say what was asked for; or no query is left.
    """
    found: list[tuple[Path, Named]] = []
    for image in usable.images:
        try:
            found.append((image.path, read_name(shown(image.path), names, cameras, image.below)))
        except InputError as error:
            if image.below is None:
                raise
            tell_left_out(image.path, error, usable.left_out)
    if not found:
        raise InputError(f"none of the {len(usable.left_out)} images can be used")
    return [path for path, _ in found], [named for _, named in found]


def _model_of(gallery: Path, path: Path | None, device: Device, *, cameras: bool) -> tuple["ReidModel", bool, int]:
    """The model, whether the gallery was made with Q (without `qafm embed --fast`), and its number of images.

    Raises:
        InputError: the gallery is another model's, or has no `cameras` where they are needed.
    """
    from qafm.galleries.gallery import Gallery

    with Gallery(gallery) as opened:
        if cameras and not opened.knows("camid"):
            raise InputError(f"{gallery}: knows no cameras, so --exclude-camera would leave nothing out; qafm embed again with --names or --camera-pattern")
        loaded = load_model(path, device)
        with_q = opened.header.model_id == loaded.model_id or opened.header.model_id != loaded.gallery_id(quality=False)
        opened.check_made_by(loaded.gallery_id(quality=with_q), loaded.name)
        return loaded, with_q, opened.rows


def _write_pictures(found: Sequence[FoundQuery], html: Path | None, png: Path | None, subtitle: str) -> list[Path]:
    if html is not None:
        from qafm.cli.search_page import write_search_page

        write_search_page(found, subtitle, html)
    if png is not None:
        from qafm.cli.search_strip import draw_search_strip

        draw_search_strip(found, subtitle, png)
    return [path for path in (html, png) if path is not None]


def _content(query: FoundQuery) -> dict[str, Any]:
    named = {"pid": query.named.pid, "camid": query.named.camid}
    hits = [one.hit._asdict() | {"right": one.right} for one in query.hits]
    return {"image": shown(query.image), **named, "q": query.q, "visual_weight": query.visual_weight, "hits": hits}


def _print(found: Sequence[FoundQuery], exact: bool) -> None:
    for place, query in enumerate(found):
        if place:
            print()
        columns = ["rank", "distance", "identity", "camera", "", "image"]
        rows = [
            [
                str(one.hit.rank),
                number(one.hit.distance),
                *("-" if value is None else str(value) for value in (one.hit.pid, one.hit.camid)),
                one.mark,
                one.hit.image_id,
            ]
            for one in query.hits
        ]
        used = [i for i, name in enumerate(columns) if name in ("rank", "distance", "image") or any(row[i] not in ("", "-") for row in rows)]
        title = f"{shown(query.image)}: Q {number(query.q)}, visual weight {number(query.visual_weight)}"
        print_table([columns[i] for i in used], [[row[i] for i in used] for row in rows], title=title, text=("image", ""), run_on=True)
    if not exact:
        remark("By the index: a near image may be missing. --approximate never compares all.")
