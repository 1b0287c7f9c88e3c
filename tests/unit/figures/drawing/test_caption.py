"""A caption reads back as it was written, and Snakemake's renderers show the same text."""

import html
import re
from pathlib import Path
from typing import Any

import pytest
from docutils.core import publish_parts
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import Environment
from matplotlib.figure import Figure

from qafm.config.figures import StyleConfig
from qafm.figures.drawing.caption import read_caption, write_caption
from qafm.figures.drawing.style import new_figure, save_figure

HOSTILE = "0425_c1s2_031841_00.jpg: *alpha* `code` |sub| <b>bold</b> {{ config }} {% raw %} a\\b [1]_ http://x.y/z_ r = -0.090"


def shown(text: str) -> str:
    """What a reader of Snakemake's report sees: Jinja, then docutils, then the browser."""
    body = publish_parts(Environment().from_string(text).render(), writer_name="html")["body"]  # pyright: ignore[reportArgumentType]
    return html.unescape(re.sub(r"<[^>]+>", "", body)).strip()


def test_hostile_names_are_shown_as_they_are(tmp_path: Path) -> None:
    write_caption(tmp_path / "c.rst", HOSTILE)
    assert shown((tmp_path / "c.rst").read_text()) == HOSTILE
    assert read_caption(tmp_path / "c.rst") == HOSTILE


@pytest.mark.parametrize("kind", ["png", "rst"])
def test_a_full_disk_leaves_the_figure_and_the_caption_that_were_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    path, write_text = tmp_path / f"figure.{kind}", Path.write_text
    path.write_text("before")

    def half(*arguments: Any, **_: Any) -> None:
        target = next(Path(argument) for argument in arguments if isinstance(argument, Path))  # savefig has the figure before it
        write_text(target, "half")
        raise OSError("No space left on device")

    monkeypatch.setattr(Path, "write_text", half)
    monkeypatch.setattr(Figure, "savefig", half)
    with pytest.raises(OSError, match="No space left"):
        save_figure(new_figure(StyleConfig(dpi=60), 0.5), "A caption.", [path])
    assert path.read_text() == "before" and list(tmp_path.iterdir()) == [path]


def test_a_caption_is_one_paragraph(tmp_path: Path) -> None:
    write_caption(tmp_path / "c.rst", "  two\n\n  lines ")
    assert (tmp_path / "c.rst").read_text() == "two lines\n"


@given(st.text(st.characters(min_codepoint=32, max_codepoint=0x2FF, exclude_characters="\x7f\x85\xa0\xad"), min_size=1))
def test_what_is_written_is_read(tmp_path_factory, text: str) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path_factory.mktemp("caption") / "c.rst"
    write_caption(path, f"Caption {text}")
    assert read_caption(path) == " ".join(f"Caption {text}".split())
