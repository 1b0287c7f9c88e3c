"""docs/command-line.md shows what its examples print; numbers may differ a little between machines."""

import re
import runpy
from pathlib import Path
from typing import Any

import pytest

RELATIVE, ABSOLUTE = 0.1, 0.03
PERCENT = 5.0
OF_THE_MACHINE = ("qafm doctor",)


@pytest.fixture(scope="module")
def writer(project: Path) -> dict[str, Any]:
    return runpy.run_path(str(project / "workflow" / "write_command_line_page.py"))


def outputs(writer: dict[str, Any], text: str) -> dict[str, list[str]]:
    """Command -> the lines below it."""
    found: dict[str, list[str]] = {}
    for kind, content in writer["BLOCK"].findall(text):
        for line in content.splitlines() if kind == "console" else ():
            if line.startswith("$ "):
                lines = found.setdefault(f"{line[2:]} ({len(found)})", [])
            else:
                lines.append(line)
    return found


def alike(expected: str, found: str) -> bool:
    """Whether two lines say the same: all words, and nearly the same numbers."""
    words, others = (re.split(r"(-?\d+(?:\.\d+)?)", re.sub(r"[ ─]+", " ", line)) for line in (expected, found))
    if len(words) != len(others):
        return False
    for place, (word, other) in enumerate(zip(words, others, strict=True)):
        if place % 2 == 0:
            if word != other:
                return False
            continue
        allowed = PERCENT if words[place + 1].startswith((" %", "%")) else max(ABSOLUTE, RELATIVE * abs(float(word)))
        if abs(float(word) - float(other)) > allowed:
            return False
    return True


def test_the_page_shows_what_its_examples_print(project: Path, writer: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = (project / "docs" / "command-line.md").read_text(encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    shown, printed = outputs(writer, page), outputs(writer, writer["run_examples"](page))
    assert list(shown) == list(printed)
    for command, lines in shown.items():
        assert lines, command
        if not command.startswith(OF_THE_MACHINE):
            assert len(lines) == len(printed[command]), (command, printed[command])
            for line, other in zip(lines, printed[command], strict=True):
                assert alike(line, other), f"{command}\n{line}\n{other}\nrun workflow/write_command_line_page.py docs/command-line.md"
    assert printed[next(command for command in printed if command.startswith("qafm doctor"))][0].startswith("✓")
    assert {"found.html", "found.png", "gallery.parquet", "model.onnx"} <= {path.name for path in tmp_path.iterdir()}


def test_every_command_has_an_example(project: Path, writer: dict[str, Any]) -> None:
    commands = {command.split()[1] for command in outputs(writer, (project / "docs" / "command-line.md").read_text(encoding="utf-8"))}
    assert commands == {"score", "attributes", "embed", "search", "match", "evaluate", "index", "remove", "export", "doctor"}


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("a 0.50 %", "a 4.0 %", True),
        ("a 0.50 %", "a 6.0 %", False),
        ("a 1.00 b", "a   1.09 b", True),
        ("a 1.00", "a 1.2", False),
        ("a 1", "b 1", False),
        ("a 1 2", "a 1", False),
    ],
)
def test_lines_that_are_alike(one: str, other: str, same: bool) -> None:
    assert alike(one, other) == same
