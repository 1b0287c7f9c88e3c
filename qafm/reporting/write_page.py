"""A page of the folder `page/`, filled in: one HTML file that needs no network."""

import base64
import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from qafm.reporting.report_headline import includes_zero, interval, signed
from qafm.reporting.report_provenance import as_duration, as_memory
from qafm.runtime.files import whole_file

PAGE = Path(__file__).with_name("page")


def write_page(template: str, out: Path, *, scripts: Sequence[str], **values: Any) -> None:
    """Fill in a template and write it, whole or not at all; equal values give equal bytes.

    Args:
        template: its file in `page/`.
        out: the page.
        scripts: files in `page/` that the page runs, in this order.
        values: what the template names.
    """
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(PAGE),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {"signed": signed, "interval": interval, "includes_zero": includes_zero, "duration": as_duration, "memory": as_memory}
    style, *code = (PAGE.joinpath(name).read_text(encoding="utf-8") for name in ("style.css", *scripts))
    shown = {"style": Markup(style), "scripts": [Markup(text) for text in code], "policy": _policy(style, code)}
    page = environment.get_template(template).render(**values, **shown)
    with whole_file(out) as temporary:
        temporary.write_text(page, encoding="utf-8")


def _policy(style: str, scripts: Sequence[str]) -> str:
    """A Content-Security-Policy: this style and these scripts, pictures from the page or beside it, and nothing else, whatever a file is named."""
    own, *others = (f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'" for text in (style, *scripts))
    allowed = f"style-src {own}; script-src {' '.join(others)}; img-src data: file: 'self'"
    return f"default-src 'none'; {allowed}; base-uri 'none'; form-action 'none'"
