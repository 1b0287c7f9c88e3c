"""What other runtimes get: the same descriptors to 1e-4, any number of images, a file that names its model."""

import json
import sys
import zipfile
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from qafm.config.fusion import HeadConfig
from qafm.datasets.read_image import read_image
from qafm.errors import InputError
from qafm.export.export_onnx import IR_VERSION, OPSET, export_onnx
from qafm.export.export_torch import METADATA, export_torch
from qafm.export.trace_network import file_metadata, quiet, usual_weight
from qafm.features.new_images import resized
from qafm.inference.model import ReidModel
from tests.unit.export.conftest import APAN, DIM, HEIGHT, WIDTH
from tests.unit.export.test_descriptor_network import random_images, reference

TOLERANCE = 1e-4
EXTRA = {METADATA: ""}  # filled by the one reading of the torch archive
Make = Callable[..., ReidModel]


@pytest.fixture(scope="module")
def by_weight(model: ReidModel, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("onnx") / "by weight" / "model.onnx"
    export_onnx(model, path)
    return path


@pytest.fixture(scope="module")
def by_q(model: ReidModel, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("onnx") / "model.onnx"
    export_onnx(model, path, weight="q")
    return path


@pytest.fixture(scope="module")
def torch_file(model: ReidModel, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("torch") / "model.pt2"
    export_torch(model, path, weight="q")
    return path


@pytest.fixture(scope="module")
def loaded(torch_file: Path) -> torch.export.ExportedProgram:
    return torch.export.load(torch_file, extra_files=EXTRA)


def session(path: Path) -> onnxruntime.InferenceSession:
    return onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])


def people(project: Path, count: int) -> list[np.ndarray]:
    """Synthetic people, cut from the picture of them in docs/."""
    picture = read_image(project / "docs" / "synthetic.png")
    return [np.ascontiguousarray(picture[40 : 240 + 3 * i, 70 * i : 70 * i + 60 + 2 * i]) for i in range(count)]


@pytest.mark.parametrize("count", [1, 2, 7])
def test_onnxruntime_agrees_by_weight(model: ReidModel, by_weight: Path, count: int) -> None:
    images, w = random_images(count), torch.linspace(0, 1, count)
    (found,) = session(by_weight).run(None, {"images": images.numpy(), "visual_weight": w.numpy()})
    with torch.no_grad():
        expected = reference(model, images, w).numpy()
    assert found.shape == (count, DIM) and found.dtype == np.float32
    np.testing.assert_allclose(found, expected, rtol=0, atol=TOLERANCE)


@pytest.mark.parametrize("count", [1, 2, 7])
def test_onnxruntime_and_torch_agree_by_q(model: ReidModel, by_q: Path, loaded: torch.export.ExportedProgram, count: int) -> None:
    images, q = random_images(count), torch.linspace(0.11, 0.15, count)
    q[-1] = float("nan")
    w = model.bundle.model.weight_mlp.weight(torch.nan_to_num(q, nan=0.13)).detach()
    found, used = session(by_q).run(["descriptor", "visual_weight"], {"images": images.numpy(), "q": q.numpy()})
    with torch.no_grad():
        expected = reference(model, images, w).numpy()
        again, used_again = loaded.module()(images, q)
    for descriptor, weight in ((found, used), (again.numpy(), used_again.numpy())):
        np.testing.assert_allclose(descriptor, expected, rtol=0, atol=TOLERANCE)
        np.testing.assert_allclose(weight, w.numpy(), rtol=0, atol=TOLERANCE)


@pytest.mark.parametrize("count", [1, 2, 7])
def test_onnxruntime_agrees_with_embed_on_people(model: ReidModel, by_weight: Path, project: Path, count: int) -> None:
    pictures = people(project, count)
    properties = session(by_weight).get_modelmeta().custom_metadata_map
    w = np.full(count, float(properties["usual_visual_weight"]), np.float32)
    pixels = resized(pictures, model.config.architecture.backbone).numpy()
    (found,) = session(by_weight).run(None, {"images": pixels, "visual_weight": w})
    np.testing.assert_allclose(found, model.embed(pictures, quality=False).descriptor, rtol=0, atol=TOLERANCE)


@pytest.fixture(scope="module")
def fixed(make_model: Make) -> ReidModel:
    """A model of other architecture with a fixed weight."""
    apan = APAN.model_copy(update={"heads": "single", "identity_head": False, "steps": 1})
    return make_model(apan=apan, head=HeadConfig(dim=6, activation="relu"), fixed=0.25)


@pytest.mark.parametrize(("export", "name"), [(export_onnx, "model.onnx"), (export_torch, "model.pt2")])
def test_a_file_is_replaced_only_if_told_to_and_nothing_is_said(
    fixed: ReidModel, tmp_path: Path, export: Callable[..., None], name: str, capfd: pytest.CaptureFixture[str], recwarn: pytest.WarningsRecorder
) -> None:
    (tmp_path / name).write_text("precious")
    with pytest.raises(InputError, match=rf"{name}: is there already; --overwrite"):
        export(fixed, tmp_path / name)
    with pytest.raises(InputError, match=rf"model\.bin: the name must end in \{Path(name).suffix}$"):
        export(fixed, tmp_path / "model.bin")
    with pytest.raises(InputError, match="weight is fixed"):
        export(fixed, tmp_path / name, weight="q", overwrite=True)
    assert (tmp_path / name).read_text() == "precious"
    export(fixed, str(tmp_path / name), overwrite=True)
    assert capfd.readouterr() == ("", "") and len(recwarn) == 0
    assert [path.name for path in tmp_path.iterdir()] == [name]
    images, w = random_images(3), torch.tensor([0.25, 0.5, 1])
    if export is export_onnx:
        assert session(tmp_path / name).get_modelmeta().custom_metadata_map["usual_visual_weight"] == "0.250000"
        (found,) = session(tmp_path / name).run(None, {"images": images.numpy(), "visual_weight": w.numpy()})
    else:
        found = torch.export.load(tmp_path / name).module()(images, w)[0].numpy()
    with torch.no_grad():
        np.testing.assert_allclose(found, reference(fixed, images, w).numpy(), rtol=0, atol=TOLERANCE)


def test_float_pixels_go_in_where_the_input_s_type_is_changed(by_weight: Path) -> None:
    content = onnx.load(by_weight)
    content.graph.input[0].type.tensor_type.elem_type = onnx.TensorProto.FLOAT
    changed = onnxruntime.InferenceSession(content.SerializeToString(), providers=["CPUExecutionProvider"])
    images, w = random_images(2).numpy(), np.array([0.2, 0.9], np.float32)
    (found,) = changed.run(None, {"images": images.astype(np.float32), "visual_weight": w})
    np.testing.assert_allclose(found, session(by_weight).run(None, {"images": images, "visual_weight": w})[0], rtol=0, atol=1e-6)


@pytest.mark.parametrize(("name", "weight", "outputs"), [("by_weight", "visual_weight", ["descriptor"]), ("by_q", "q", ["descriptor", "visual_weight"])])
def test_the_onnx_file_says_what_it_is(model: ReidModel, name: str, weight: str, outputs: list[str], request: pytest.FixtureRequest) -> None:
    path = request.getfixturevalue(name)
    content = onnx.load(path)
    assert [(opset.domain, opset.version) for opset in content.opset_import] == [("", OPSET)] and content.ir_version == IR_VERSION
    assert onnx.helper.find_min_ir_version_for(content.opset_import) <= IR_VERSION == 8  # what onnxruntime 1.14 reads; 1.18 is the first to read 10
    found = session(path)
    assert [(one.name, one.type, one.shape) for one in found.get_inputs()] == [
        ("images", "tensor(uint8)", ["batch", 3, HEIGHT, WIDTH]),
        (weight, "tensor(float)", ["batch"]),
    ]
    assert [one.name for one in found.get_outputs()] == outputs
    assert found.get_outputs()[0].shape == ["batch", DIM]
    properties = found.get_modelmeta().custom_metadata_map
    assert properties == file_metadata(model, weight)  # pyright: ignore[reportArgumentType]
    assert properties["model_id"] == "ab" * 32 and properties["name"] == "synthetic/r10/small/seed-1" and properties["weight"] == weight
    assert (properties["height"], properties["width"], properties["dim"]) == (str(HEIGHT), str(WIDTH), str(DIM))
    assert properties["qafm_version"] == version("qafm-reid")
    assert float(properties["usual_visual_weight"]) == pytest.approx(usual_weight(model), abs=1e-6)
    assert {entry.name for entry in path.parent.iterdir()} == {path.name}


def test_no_file_tells_paths_of_this_machine(by_weight: Path, torch_file: Path, project: Path) -> None:
    with zipfile.ZipFile(torch_file) as archive:
        contents = [archive.read(name) for name in archive.namelist()]
    for content in (by_weight.read_bytes(), *contents):
        assert str(project).encode() not in content and sys.prefix.encode() not in content


def test_the_torch_file_needs_no_pickle_and_says_what_it_is(model: ReidModel, torch_file: Path, loaded: torch.export.ExportedProgram) -> None:
    assert json.loads(EXTRA[METADATA]) == file_metadata(model, "q")
    assert not any("classifier" in name for name in loaded.state_dict)
    with zipfile.ZipFile(torch_file) as archive:
        pickled = [name for name in archive.namelist() if archive.read(name)[:2] in (b"\x80\x02", b"\x80\x04", b"PK")]
    assert pickled == []


@pytest.mark.parametrize(("export", "name", "broken"), [(export_onnx, "a.onnx", "torch.onnx.export"), (export_torch, "a.pt2", "torch.export.save")])
def test_nothing_is_left_of_a_failed_export(
    model: ReidModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, export: Callable[..., None], name: str, broken: str
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("disk full")

    for module in ("export_onnx", "export_torch"):
        monkeypatch.setattr(f"qafm.export.{module}.trace_network", lambda *_: SimpleNamespace(example_inputs=()))
    monkeypatch.setattr(broken, fail)
    with pytest.raises(RuntimeError, match="disk full"):
        export(model, tmp_path / name)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("export", "name"), [(export_onnx, "a.onnx"), (export_torch, "a.pt2")])
def test_a_full_disk_leaves_the_file_that_was_there(
    model: ReidModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, export: Callable[..., None], name: str
) -> None:
    write_bytes = Path.write_bytes

    def half(path: Path, content: bytes) -> None:
        write_bytes(path, content[: len(content) // 2])
        raise OSError("No space left on device")

    (tmp_path / name).write_text("precious")
    for module in ("export_onnx", "export_torch"):
        monkeypatch.setattr(f"qafm.export.{module}.trace_network", lambda *_: SimpleNamespace(example_inputs=()))
    graph = onnx.helper.make_graph([], "an empty graph", [], [])
    monkeypatch.setattr("torch.onnx.export", lambda *_, **__: SimpleNamespace(model_proto=onnx.helper.make_model(graph)))
    monkeypatch.setattr("torch.export.save", lambda _, archive, **__: archive.write(b"an archive"))
    monkeypatch.setattr(Path, "write_bytes", half)
    with pytest.raises(OSError, match="No space left"):
        export(model, tmp_path / name, overwrite=True)
    assert (tmp_path / name).read_text() == "precious" and [path.name for path in tmp_path.iterdir()] == [name]


def test_quiet_lets_errors_through() -> None:
    with pytest.raises(KeyError), quiet():
        raise KeyError("real")
