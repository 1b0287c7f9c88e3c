"""Search results as one HTML page that needs no network and no other file."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jinja2
import numpy as np

from qafm.cli.found import FoundHit, FoundQuery
from qafm.cli.image_files import shown
from qafm.errors import InputError
from qafm.reporting.thumbnails import thumbnail_url
from qafm.runtime.files import whole_file

_HEIGHT_PX = 192  # of a thumbnail, shown at half that size on dense screens
_TEMPLATE = "search.html.jinja"


def write_search_page(found: Sequence[FoundQuery], subtitle: str, path: Path) -> None:
    """Write the page.

    Args:
        found: queries with their hits.
        subtitle: what was searched by what.
        path: the file.

    Raises:
        InputError: a query's picture cannot be read.
    """
    title = f"Nearest images of {shown(found[0].image)}" if len(found) == 1 else f"Nearest images of {len(found)} queries"
    judged = any(one.right is not None for query in found for one in query.hits)
    pages = jinja2.PackageLoader("qafm.reporting", "page")
    template = jinja2.Environment(loader=pages, autoescape=True, undefined=jinja2.StrictUndefined).get_template(_TEMPLATE)
    text = template.render(title=title, subtitle=subtitle, judged=judged, queries=[_query(query) for query in found])
    with whole_file(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def _query(query: FoundQuery) -> dict[str, Any]:
    lines = [] if np.isnan(query.q) else [f"Q {query.q:.3f}"]
    lines += [f"visual weight {query.visual_weight:.3f}", *_who(query.named.pid, query.named.camid)]
    return {"name": shown(query.image), "url": thumbnail_url(query.image, _HEIGHT_PX), "lines": lines, "hits": [_hit(one) for one in query.hits]}


def _hit(one: FoundHit) -> dict[str, Any]:
    return {
        "kind": {True: "right", False: "wrong", None: ""}[one.right],
        "mark": one.mark,
        "rank": one.hit.rank,
        "url": _url(one.file),
        "lines": [f"d {one.hit.distance:.3f}", *_who(one.hit.pid, one.hit.camid)],
        "name": one.hit.image_id,
        "short": Path(one.hit.image_id).name,
    }


def _url(file: Path | None) -> str | None:
    """The thumbnail; None where there is none, or where what was embedded once is no picture any more."""
    try:
        return None if file is None else thumbnail_url(file, _HEIGHT_PX)
    except InputError:
        return None


def _who(pid: int | None, camid: int | None) -> list[str]:
    return [f"{name} {value}" for name, value in (("identity", pid), ("camera", camid)) if value is not None]
