"""A caption reads back as it was written, and Snakemake's renderers show the same text."""

import html
import re
from pathlib import Path

from docutils.core import publish_parts
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import Environment

from qafm.figures.drawing.caption import read_caption, write_caption

HOSTILE = "0425_c1s2_031841_00.jpg: *alpha* `code` |sub| <b>bold</b> {{ config }} {% raw %} a\\b [1]_ http://x.y/z_ r = -0.090"


def shown(text: str) -> str:
    """What a reader of Snakemake's report sees: Jinja, then docutils, then the browser."""
    body = publish_parts(Environment().from_string(text).render(), writer_name="html")["body"]  # pyright: ignore[reportArgumentType]
    return html.unescape(re.sub(r"<[^>]+>", "", body)).strip()


def test_hostile_names_are_shown_as_they_are(tmp_path: Path) -> None:
    write_caption(tmp_path / "c.rst", HOSTILE)
    assert shown((tmp_path / "c.rst").read_text()) == HOSTILE
    assert read_caption(tmp_path / "c.rst") == HOSTILE


def test_a_caption_is_one_paragraph(tmp_path: Path) -> None:
    write_caption(tmp_path / "c.rst", "  two\n\n  lines ")
    assert (tmp_path / "c.rst").read_text() == "two lines\n"


@given(st.text(st.characters(min_codepoint=32, max_codepoint=0x2FF, exclude_characters="\x7f\x85\xa0\xad"), min_size=1))
def test_what_is_written_is_read(tmp_path_factory, text: str) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path_factory.mktemp("caption") / "c.rst"
    write_caption(path, f"Caption {text}")
    assert read_caption(path) == " ".join(f"Caption {text}".split())
