"""`qafm score`, `qafm attributes` and `qafm match`: what the model says is what is printed."""

import json
import os
from pathlib import Path

import cv2
import numpy as np
import pytest

from qafm.cli.output import percent
from qafm.inference.model import ReidModel, load
from qafm.inference.results import Match
from qafm.tables.attributes import ATTRIBUTE_NAMES
from tests.unit.cli.conftest import Run, one_line

FAMILIES = ("light", "blur", "occlusion", "background", "noise")


@pytest.fixture(scope="session")
def model(bundles: dict[str, Path]) -> ReidModel:
    return load(bundles["one"], device="cpu")


def images_in(place: Path, n: int) -> list[str]:
    return [f"query/{path.name}" for path in sorted((place / "query").iterdir())[:n]]


def test_scores_as_json(run: Run, place: Path, model: ReidModel) -> None:
    files = images_in(place, 2)
    content = json.loads(run("score", *files, "--json").stdout)
    assert (content["model"], content["model_id"]) == (model.name, model.model_id)
    assert [image["image"] for image in content["images"]] == files
    for found, expected, attributes in zip(content["images"], model.score(files), model.attributes(files), strict=True):
        assert {name: found[name] for name in vars(expected)} == vars(expected)
        assert found["paper_alpha"] == pytest.approx(1 - found["visual_weight"])
        assert tuple(found["by_family"]) == FAMILIES
        assert found["attributes"] == {name: vars(attribute) for name, attribute in attributes.items()}


def test_scores_as_a_table(run: Run, place: Path, model: ReidModel) -> None:
    files = images_in(place, 2)
    lines = run("score", *files).stdout.splitlines()
    for file, score in zip(files, model.score(files), strict=True):
        cells = next(line for line in lines if line.startswith(file)).split()
        expected = [score.q, *score.by_family.values(), score.visual_weight, score.paper_alpha]
        assert score.q_rank is not None
        assert cells == [file, f"{expected[0]:.3f}", f"{100 * score.q_rank:.0f}", "%", *(f"{value:.3f}" for value in expected[1:])]
    assert sum(line.startswith(tuple(name.replace("_", " ") for name in ATTRIBUTE_NAMES)) for line in lines) == len(ATTRIBUTE_NAMES)


def test_a_folder_is_all_images_in_it(run: Run, place: Path) -> None:
    content = json.loads(run("attributes", "query", "--json").stdout)
    assert [image["image"] for image in content["images"]] == images_in(place, 1000)


def test_attributes_as_tables_of_four(run: Run, place: Path, model: ReidModel) -> None:
    files = images_in(place, 5)
    lines = run("attributes", *files).stdout.splitlines()
    found = model.attributes(files)
    for start in (0, 4):
        rows = [line for line in lines if line.startswith("up color")]
        cells = [f"{one['up_color'].value} {100 * one['up_color'].probability:.0f} %" for one in found[start : start + 4]]
        assert " ".join(rows[start // 4].split()) == " ".join(["up color", *cells])


def test_a_model_without_attributes_or_extractor(run: Run, place: Path, bundles: dict[str, Path]) -> None:
    file = images_in(place, 1)[0]
    text = run("score", file, "--model", bundles["without"]).stdout
    assert "Q is not computed" in text
    assert "gender" not in text
    found = json.loads(run("score", file, "--model", bundles["without"], "--json").stdout)["images"][0]
    assert (found["q"], found["q_rank"], found["by_family"], found["attributes"]) == (None, None, {}, None)
    assert one_line(run("attributes", file, "--model", bundles["without"], code=1).stderr).endswith("was trained without attributes, it knows none")


def test_match(run: Run, place: Path, model: ReidModel) -> None:
    first, second = images_in(place, 2)
    expected = model.match(first, second)
    content = json.loads(run("match", first, second, "--json").stdout)
    assert (content["a"], content["b"], content["distance"], content["probability"]) == (first, second, expected.distance, None)
    text = run("match", first, second).stdout
    assert f"{expected.distance:.3f}" in text
    assert "not calibrated" in text
    assert json.loads(run("match", first, first, "--json").stdout)["distance"] == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("prior", ["1.5", "0", "1", "-0.1", "nan"])
def test_a_prior_is_a_probability(run: Run, place: Path, prior: str) -> None:
    assert "does not lie between 0 and 1" in " ".join(run("match", *images_in(place, 2), "--prior", prior, code=2).stderr.split())


@pytest.mark.parametrize(("prior", "text"), [(0.5, "50 %"), (0.01, "1 %"), (0.07, "7 %"), (0.9996, "99.96 %"), (0.99999, "99.999 %")])
def test_the_prior_is_shown_as_it_was_given(run: Run, place: Path, monkeypatch: pytest.MonkeyPatch, prior: float, text: str) -> None:
    monkeypatch.setattr(ReidModel, "match", lambda _self, _a, _b, *, prior: Match(0.5, 0.9, 0.01, prior))
    lines = run("match", *images_in(place, 2), "--prior", prior).stdout.splitlines()
    assert f"supposing a prior of {text}" in [" ".join(line.split()) for line in lines]


@pytest.mark.parametrize(
    ("share", "text"),
    [(0, "0 %"), (1, "100 %"), (0.5, "50.0 %"), (0.031, "3.1 %"), (0.00052, "0.052 %"), (0.9996, "99.960 %"), (0.99, "99.0 %"), (1e-12, "0.00000000 %")],
)
def test_a_percentage_tells_little_from_nothing(share: float, text: str) -> None:
    assert percent(share) == text


@pytest.mark.parametrize("command", ["score", "attributes"])
@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("text.jpg", "cannot be decoded as an image"),
        ("dot.png", "is 1 x 1 pixels, at least 8 x 8 are needed"),
        ("gone.png", "cannot be read (No such file or directory)"),
        ("nothing", "holds no image (.jpg, .jpeg, .png, .webp, .bmp, .tif)"),
        ("void.png", "the file is empty"),
    ],
)
def test_bad_input_is_one_line(run: Run, place: Path, command: str, name: str, reason: str) -> None:
    bad_files(place)
    result = run(command, images_in(place, 1)[0], name, code=1)
    assert (one_line(result.stderr), result.stdout) == (f"qafm: {name}: {reason}", "")


@pytest.mark.parametrize("command", ["score", "attributes"])
def test_a_pipe_is_no_file(run: Run, place: Path, command: str) -> None:
    """Every command reads its images more than once."""
    read, write = os.pipe()
    with os.fdopen(write, "wb") as stream:
        stream.write((place / images_in(place, 1)[0]).read_bytes())
    with os.fdopen(read):
        result = run(command, f"/dev/fd/{read}", code=1)
    assert one_line(result.stderr) == f"qafm: /dev/fd/{read}: is no file that can be read again; save what comes through a pipe first"


@pytest.mark.parametrize("command", ["score", "attributes", "search"])
def test_a_bad_image_of_a_folder_is_left_out_and_named(run: Run, place: Path, command: str) -> None:
    options = ()
    if command == "search":
        run("embed", "gallery", "-o", "found.parquet")
        options = ("--gallery", "found.parquet")
    good = images_in(place, 1000)
    (place / "query" / "text.jpg").write_text("no image")
    result = run(command, "query", *options, "--json")
    content = json.loads(result.stdout)
    assert [image["image"] for image in content["queries" if command == "search" else "images"]] == good
    assert content["left_out"] == {"query/text.jpg": "cannot be decoded as an image"}
    assert one_line(result.stderr) == "left out: query/text.jpg: cannot be decoded as an image"
    for file in good:
        (place / file).unlink()
    lines = run(command, "query", *options, code=1).stderr.splitlines()
    assert lines == ["left out: query/text.jpg: cannot be decoded as an image", "qafm: none of the 1 images can be used"]


def test_bad_input_of_match(run: Run, place: Path) -> None:
    bad_files(place)
    assert one_line(run("match", "gallery", "dot.png", code=1).stderr) == "qafm: gallery: is a folder, one image is needed"
    assert one_line(run("match", images_in(place, 1)[0], "dot.png", code=1).stderr) == "qafm: dot.png: is 1 x 1 pixels, at least 8 x 8 are needed"


def bad_files(place: Path) -> None:
    (place / "text.jpg").write_text("this is no picture")
    cv2.imwrite(str(place / "dot.png"), np.zeros((1, 1, 3), np.uint8))
    (place / "void.png").touch()
    (place / "nothing").mkdir()
    (place / "nothing" / "notes.txt").touch()
