"""A figure's caption: one paragraph, kept beside the figure as reStructuredText for Snakemake's report, read back as plain text for ours.

Names of files stand in captions, so everything that means something to reStructuredText or to Jinja (Snakemake renders captions with both) is escaped.
"""

import re
from pathlib import Path

from qafm.runtime.files import whole_file

_SPECIAL = re.compile(r"([\\*`_|<>\[\]:{}%#])")
_ESCAPED = re.compile(r"\\(.)")


def write_caption(path: Path, text: str) -> None:
    """Write `text`, made one paragraph, so that Snakemake's report shows it as it is."""
    paragraph = " ".join(text.split())
    with whole_file(path) as temporary:
        temporary.write_text(_SPECIAL.sub(r"\\\1", paragraph) + "\n", encoding="utf-8")


def read_caption(path: Path) -> str:
    """The text that `write_caption` was given, white space collapsed."""
    return _ESCAPED.sub(r"\1", path.read_text(encoding="utf-8").rstrip("\n"))
