"""Run the examples of docs/command-line.md and write what they print below them.

usage: write_command_line_page.py PAGE.md

Python examples are run, and so is every line of a console example that begins with "$ qafm"; the lines below it are replaced by its output. All of it in one
empty folder, in the order of the page. The picture that one of them makes is kept beside the page, as PAGE.webp.
"""

import os
import re
import shlex
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
from typer.testing import CliRunner

from qafm.cli.main import app

BLOCK = re.compile(r"^```(python|console)\n(.*?)^```", flags=re.DOTALL | re.MULTILINE)
PROMPT = "$ "
PYTHON = "/home/me/qafm/.venv/bin/python"  # on the page
PICTURE = "found.png"  # what an example writes, and the page shows


def main(page: str) -> None:
    """Write the page anew."""
    path = Path(page).absolute()
    text = path.read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory() as folder, working_in(Path(folder)):
        text = run_examples(text)
        cv2.imwrite(str(path.with_suffix(".webp")), cv2.imread(PICTURE), (cv2.IMWRITE_WEBP_QUALITY, 85))
    path.write_text(text, encoding="utf-8")


@contextmanager
def working_in(folder: Path) -> Iterator[None]:
    """Work in another folder."""
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


def run_examples(text: str) -> str:
    """The page with the outputs of its examples, run in the working folder."""
    return BLOCK.sub(_replaced, text)


def _replaced(block: "re.Match[str]") -> str:
    kind, content = block.groups()
    if kind == "python":
        exec(compile(content, "example", "exec"), {})
        return block[0]
    commands = [line for line in content.splitlines() if line.startswith(PROMPT)]
    return "".join([f"```{kind}\n", *(f"{command}\n{_printed(command)}" for command in commands), "```"])


def _printed(command: str) -> str:
    """What a command line prints, without blanks at the ends of lines; nothing for what is no qafm command, which is left out here."""
    program, *arguments = shlex.split(command.removeprefix(PROMPT))
    if program != "qafm":
        raise SystemExit(f"{command}: only qafm is run here")
    output = CliRunner().invoke(app, arguments, prog_name="qafm").output.replace(sys.executable, PYTHON)
    return "".join(f"{line.rstrip()}\n" for line in output.splitlines())


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(*sys.argv[1:])
