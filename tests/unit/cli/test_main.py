"""The command line as a whole: help, version, what is imported, exit codes."""

import importlib.metadata
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from typer.testing import CliRunner

from qafm.cli.main import app
from qafm.inference.model import ReidModel
from tests.unit.cli.conftest import Run, one_line

COMMANDS = ("score", "attributes", "embed", "search", "match", "evaluate", "index", "remove", "export", "doctor")


def call(project: Path, place: Path, *arguments: object, **variables: str) -> "subprocess.CompletedProcess[str]":
    """`python -m qafm ARGUMENTS` from another folder."""
    environment = os.environ | {"PYTHONPATH": str(project), "OMP_NUM_THREADS": "1"} | variables
    command = [sys.executable, "-m", "qafm", *map(str, arguments)]
    return subprocess.run(command, cwd=place, env=environment, capture_output=True, text=True, check=False, timeout=300)


def help_of(*command: str) -> str:
    result = CliRunner().invoke(app, [*command, "--help"], prog_name="qafm", env={"COLUMNS": "120"})
    assert result.exit_code == 0, result.output
    return result.stdout


def test_the_help_names_every_command() -> None:
    text = help_of()
    assert all(f" {command} " in text for command in COMMANDS)
    assert "Exit codes: 0 done, 1 bad input" in " ".join(text.split())


@pytest.mark.parametrize("command", COMMANDS)
def test_each_help_has_examples_of_its_own(command: str) -> None:
    text = help_of(command)
    assert "Examples" in text
    assert f"qafm {command}" in text.split("Examples")[1]


def test_the_version() -> None:
    assert CliRunner().invoke(app, ["--version"]).stdout == f"qafm {importlib.metadata.version('qafm-reid')}\n"


def test_nothing_heavy_is_imported_before_a_command_needs_it(project: Path, tmp_path: Path) -> None:
    heavy = "torch cv2 pyarrow faiss matplotlib scipy pandas onnx jinja2 pydantic"
    code = f"import sys, qafm, qafm.cli.main; print(sorted(set('{heavy}'.split()) & set(sys.modules)))"
    result = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(project)}, capture_output=True, text=True)
    assert result.stdout == "[]\n", result.stdout + result.stderr


@pytest.mark.parametrize("arguments", [("score",), ("search", "a.jpg"), ("nothing",), ("match", "a.jpg"), ("score", "a.jpg", "--device", "tpu")])
def test_wrong_usage_is_told_apart(run: Run, arguments: tuple[str, ...]) -> None:
    assert "Usage" in run(*arguments, "--model", "x", code=2).stderr


def test_a_model_that_is_none(run: Run, place: Path) -> None:
    image = next((place / "query").iterdir())
    (place / "empty").mkdir()
    assert one_line(run("score", image, "--model", "empty", code=1).stderr).startswith("qafm: empty: holds no bundle")
    assert one_line(run("score", image, "--model", "nowhere", code=1).stderr) == "qafm: nowhere: no such folder"


def test_a_folder_that_cannot_be_written(run: Run, place: Path) -> None:
    (place / "file").touch()
    assert one_line(run("embed", "query", "-o", "file/gallery.parquet", code=1).stderr) == "qafm: file/gallery.parquet: cannot be written into file"


@pytest.mark.parametrize(
    ("command", "name"),
    [
        (("embed", "query", "-o"), "made.parquet"),
        (("search", "query", "-g", "g.parquet", "--html"), "made.html"),
        (("search", "query", "-g", "g.parquet", "--png"), "made.png"),
        (("export", "--overwrite", "-o"), "made.onnx"),
        (("export", "-o"), "made.onnx"),
    ],
)
def test_a_folder_is_no_file_to_write(run: Run, place: Path, command: tuple[str, ...], name: str) -> None:
    (place / name).mkdir()
    assert one_line(run(*command, name, code=1).stderr) == f"qafm: {name}: is a folder, a file is to be written"


def test_from_another_folder(project: Path, place: Path, bundles: dict[str, Path]) -> None:
    (place / "elsewhere").mkdir()
    image = next((place / "query").iterdir())
    result = call(project, place / "elsewhere", "score", f"../query/{image.name}", "--model", bundles["one"])
    assert (result.returncode, result.stderr) == (0, "")
    assert f"../query/{image.name}" in result.stdout
    assert list((place / "elsewhere").iterdir()) == []


def test_bad_input_from_outside(project: Path, place: Path, bundles: dict[str, Path]) -> None:
    (place / "cut.jpg").write_bytes(next((place / "query").iterdir()).read_bytes()[:700])
    result = call(project, place, "score", "cut.jpg", "--model", bundles["one"])
    assert (result.returncode, result.stdout, result.stderr) == (1, "", "qafm: cut.jpg: cannot be decoded as an image\n")


def test_no_encoding_ends_a_command(project: Path, tmp_path: Path) -> None:
    found = call(project, tmp_path, "search", "--help", PYTHONIOENCODING="latin-1")
    assert (found.returncode, found.stderr) == (0, "")
    assert "\\u2713" in found.stdout
    code = "from qafm.cli.output import never_fail_to_encode, print_json; never_fail_to_encode(); print('\u2713'); print_json({'a': '\u2713 \xe9'})"
    environment = os.environ | {"PYTHONPATH": str(project), "PYTHONIOENCODING": "latin-1"}
    result = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, check=True)
    mark, text = result.stdout.decode("latin-1").split("\n", 1)
    assert (mark, json.loads(text)) == ("\\u2713", {"a": "\u2713 \xe9"})


def _hear_interrupts() -> None:
    """What a shell starts in the background ignores SIGINT, and so do its children."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def test_a_reader_that_has_seen_enough_is_no_error(project: Path, tmp_path: Path) -> None:
    read, write = os.pipe()
    os.close(read)
    environment = os.environ | {"PYTHONPATH": str(project)}
    with os.fdopen(write, "wb") as gone:
        result = subprocess.run([sys.executable, "-m", "qafm", "doctor"], cwd=tmp_path, env=environment, stdout=gone, stderr=subprocess.PIPE, text=True)
    assert (result.returncode, result.stderr) == (0, "")


def test_interrupted_from_outside(project: Path, place: Path, bundles: dict[str, Path]) -> None:
    image = next((place / "query").iterdir()).read_bytes()
    (place / "many").mkdir()
    (place / "many" / "000.jpg").write_bytes(b"no picture: the line about it says that the work has begun")
    for number in range(1, 400):
        (place / "many" / f"{number:03d}.jpg").write_bytes(image)
    environment = os.environ | {"PYTHONPATH": str(project), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "qafm", "embed", "many", "-o", "gallery.parquet", "--model", str(bundles["one"])]
    process = subprocess.Popen(command, cwd=place, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=_hear_interrupts)
    try:
        assert process.stderr is not None
        assert process.stderr.readline().startswith("left out: many/000.jpg: ")
        process.send_signal(signal.SIGINT)
        stdout, stderr = process.communicate(timeout=300)
    finally:
        process.kill()
    assert (process.returncode, stdout) == (130, "")
    assert one_line(stderr) == "qafm: interrupted (nothing was written yet)"
    assert not (place / "gallery.parquet").exists()


@pytest.mark.usefixtures("place")
def test_a_full_gpu_is_told_in_one_line(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def score(*_: object, **__: object) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total capacity of 3.94 GiB.")

    monkeypatch.setattr(ReidModel, "score", score)
    told = "qafm: the GPU has too little free memory; --device cpu goes without it (CUDA out of memory. Tried to allocate 2.00 GiB)"
    assert one_line(run("score", "query", code=1).stderr) == told
