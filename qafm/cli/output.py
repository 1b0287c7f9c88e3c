"""What the commands print: JSON, or tables that keep their width when they go to a file."""

import io
import json
import math
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from qafm.errors import InputError

WIDE = 4000  # columns of a pipe: nothing is cut


def never_fail_to_encode() -> None:
    """Let stdout write what its encoding does not have as \\u2713 and the like, as stderr does: a check mark must not end a command."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


class Piped(Console):
    """A console whose reader may go away."""

    def on_broken_pipe(self) -> None:
        """Pass it on to the one place that ends a command; rich would exit with 1."""
        raise BrokenPipeError


def console() -> Console:
    """stdout, as wide as the terminal; as wide as it takes where it is none."""
    return Piped(highlight=False, width=None if sys.stdout.isatty() else WIDE)


def check_target(path: Path, *, endings: Sequence[str] = (), inputs: Sequence[Path] = ()) -> None:
    """See that a file can be written, before the work whose result it is to hold.

    Args:
        path: the file.
        endings: it has to have one of these, in small letters or capitals; none: any will do.
        inputs: what the command reads, and must not write over.

    Raises:
        InputError: its name ends otherwise, it is a folder or an input, its folder is none, or nothing can be written into it.
    """
    if endings and path.suffix.lower() not in endings:
        raise InputError(f"{path}: the name must end in {' or '.join(endings)}")
    if path.is_dir():
        raise InputError(f"{path}: is a folder, a file is to be written")
    if path.exists() and any(source.exists() and path.samefile(source) for source in inputs):
        raise InputError(f"{path}: is read by this command, and would be written over; choose another name")
    folder = path.parent
    while not folder.exists():
        folder = folder.parent
    if not folder.is_dir() or not os.access(folder, os.W_OK):
        raise InputError(f"{path}: cannot be written into {folder}")


def print_json(content: Any) -> None:
    """Print indented JSON; NaN, which JSON does not have, becomes null, and what is not ASCII is escaped where stdout is not UTF-8."""
    utf8 = (sys.stdout.encoding or "utf-8").lower().replace("-", "") == "utf8"
    print(json.dumps(_plain(content), indent=1, ensure_ascii=not utf8))


def _plain(content: Any) -> Any:
    if isinstance(content, dict):
        return {str(key): _plain(value) for key, value in content.items()}
    if isinstance(content, list | tuple):
        return [_plain(value) for value in content]
    return None if isinstance(content, float) and not math.isfinite(content) else content


def print_table(columns: Sequence[str], rows: Sequence[Sequence[str]], *, title: str = "", text: Sequence[str] = (), run_on: bool = False) -> None:
    """Print a table.

    Args:
        columns: headings; all empty: none is shown.
        rows: cells as text; they are shown as they are, markup in them means nothing.
        title: a line above; "" for none.
        text: the columns that hold words; the others hold numbers and are set flush right.
        run_on: lines longer than the terminal are left to it, so that names stay whole and can be copied; else words are folded.
    """
    out = console()
    if title:
        out.print(Text(title, style="bold"), soft_wrap=True)
    made = Table(
        box=SIMPLE_HEAD if any(columns) else None, show_header=any(columns), padding=(0, 1, 0, 0), pad_edge=False, show_edge=False, header_style="bold"
    )
    for name in columns:
        made.add_column(name, justify="left" if name in text else "right", overflow="fold", no_wrap=name not in text)
    for row in rows:
        made.add_row(*(Text(cell) for cell in row))
    if run_on:
        out.width = max(out.width, Measurement.get(out, out.options.update(max_width=WIDE), made).maximum)
    out.print(made)


def remark(text: str) -> None:
    """Print a line that explains what stands above."""
    console().print(Text(text, style="dim"), soft_wrap=True)


def percent(share: float) -> str:
    """A share as a percentage: one digit behind the point, near 0 and 100 as many as it takes to tell it from them."""
    value, from_end = 100 * share, 100 * min(share, 1 - share)
    if from_end <= 0:
        return f"{value:.0f} %"
    digits = max(1, 1 - math.floor(math.log10(from_end)))  # two digits of what is left to the end
    return f"{value:.{min(digits, 8)}f} %"


def number(value: float | None, digits: int = 3) -> str:
    """A number with so many digits behind the point; a dash where there is none."""
    return "-" if value is None or not math.isfinite(value) else f"{value:.{digits}f}"
