"""`qafm remove`: takes images or people out of a gallery."""

from pathlib import Path
from typing import Annotated

import typer

from qafm.cli.image_files import shown
from qafm.cli.options import AsJson
from qafm.cli.output import print_json
from qafm.errors import InputError


def remove(
    gallery: Annotated[Path, typer.Option("--gallery", "-g", help="What `qafm embed` made.", show_default=False)],
    image: Annotated[list[str] | None, typer.Option(metavar="NAME", help="An image, as the gallery names it; may be given again.", show_default=False)] = None,
    pid: Annotated[list[int] | None, typer.Option(metavar="N", help="An identity, with all its images; may be given again.", show_default=False)] = None,
    missing: Annotated[bool, typer.Option("--missing", help="All images whose file is neither found from here nor from the gallery's folder.")] = False,
    as_json: AsJson = False,
) -> None:
    """Take images, or all images of a person, out of a gallery. Its index goes with them, as it holds the descriptors of all; `qafm index` makes it again.

    The pictures themselves stay: as long as they lie in the folder, **qafm embed** adds them again. A name or identity that the gallery does not hold
    ends the command before anything is removed.
    """
    if not (image or pid or missing):
        raise typer.BadParameter("say what to remove: --image, --pid or --missing")
    from qafm.galleries.remove_images import remove_images

    names = [*(image or ()), *(_missing(gallery) if missing else ())]
    done = remove_images(gallery, image_id=names, pid=pid or ())
    if as_json:
        print_json({"gallery": shown(gallery), **vars(done)})
        return
    index = "; its index is deleted, too" if done.index else ""
    typer.echo(f"{shown(gallery)}: {done.removed} removed, {done.left} left{index}")


def _missing(gallery: Path) -> list[str]:
    """The images whose file is gone.

    Raises:
        InputError: all are: then the command runs in the wrong folder.
    """
    from qafm.galleries.gallery import Gallery, known_images

    with Gallery(gallery):
        pass  # no gallery is no empty one
    names = known_images(gallery)
    gone = [name for name in names if not (Path(name).is_file() or (gallery.parent / name).is_file())]
    if names and len(gone) == len(names):
        raise InputError(f"{gallery}: none of its {len(names)} images is found; run this in the folder where `qafm embed` ran")
    return gone
