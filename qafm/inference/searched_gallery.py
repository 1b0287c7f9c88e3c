"""What can be said of a search before its queries are embedded, which takes seconds each."""

from pathlib import Path

from qafm.galleries.gallery import Gallery
from qafm.galleries.search_gallery import Approximate, check_search

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
    with Gallery(path) as gallery:
        hits = min(USUAL_TOP, gallery.rows) if top is None else top
        check_search(gallery, model_id, model, hits, approximate)
        if approximate == "always":
            from qafm.galleries.approximate_search import open_index  # here: an exact search need not wait until faiss is imported

            open_index(gallery)
    return hits
