"""What can be said of a search before its queries are embedded, which takes seconds each."""

from pathlib import Path
from typing import get_args

from qafm.galleries.gallery import Gallery
from qafm.galleries.search_gallery import Approximate
from qafm.runtime.errors import InputError

USUAL_TOP = 10


def checked_top(path: Path, model_id: str, model: str, top: int | None, approximate: Approximate) -> int:
    """Look whether a gallery can be searched as asked.

    Args:
        path: the gallery.
        model_id: what its descriptors have to be made by.
        model: the name of that model.
        top: hits per query; None: USUAL_TOP, or all of a smaller gallery.
        approximate: as in `search_gallery`.

    Returns:
        Hits per query.

    Raises:
        InputError: it cannot.
    """
    if approximate not in get_args(Approximate):
        raise InputError(f"approximate: {approximate!r} is none of {', '.join(get_args(Approximate))}")
    with Gallery(path) as gallery:
        gallery.check_made_by(model_id, model)
        if not gallery.rows:
            raise InputError(f"{path}: is empty")
        hits = min(USUAL_TOP, gallery.rows) if top is None else top
        if not 1 <= hits <= gallery.rows:
            raise InputError(f"{path}: top {hits} of a gallery of {gallery.rows} images")
        if approximate == "always":
            from qafm.galleries.approximate_search import open_index  # here: an exact search need not wait until faiss is imported

            open_index(gallery)
    return hits
