"""The numpy fusion head against the formula written out image by image, and its file format."""

from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from qafm.errors import InputError
from qafm.evaluation.fuse import ExportedHead, concat, unit_rows

N, DA, DS, D = 5, 4, 3, 6


def tensors(seed: int = 0) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    shapes = {"fc_weight": (D, DA + DS), "fc_scale": (D,), "fc_shift": (D,), "apn_scale": (DA,), "apn_shift": (DA,), "apan_scale": (DS,), "apan_shift": (DS,)}
    return {name: rng.normal(size=shape).astype(np.float32) for name, shape in shapes.items()}


def vectors(seed: int = 1) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.normal(size=(N, DA)).astype(np.float32) * 3, rng.normal(size=(N, DS)).astype(np.float32), np.linspace(0, 1, N)


def unit(vector: np.ndarray) -> np.ndarray:
    return vector / np.sqrt((vector**2).sum())


@pytest.mark.parametrize("relu", [False, True])
@pytest.mark.parametrize("normalize", [False, True])
def test_fused_is_the_formula(relu: bool, normalize: bool):
    values = tensors()
    head = ExportedHead(**values, relu=relu, normalize=normalize)
    v_a, v_s, w = vectors()
    found = head.fused(v_a, v_s, w)
    assert found.dtype == np.float32
    for i in range(N):
        a, s = (unit(v_a[i]), unit(v_s[i])) if normalize else (v_a[i], v_s[i])
        raw = values["fc_weight"] @ np.concatenate([w[i] * a, (1 - w[i]) * s]) * values["fc_scale"] + values["fc_shift"]
        expected = unit(np.maximum(raw, 0) if relu else raw)
        assert found[i] == pytest.approx(expected, abs=1e-6)
    assert head.fused(v_a, v_s, 0.3) == pytest.approx(head.fused(v_a, v_s, np.full(N, 0.3)))


def test_the_branches_sit_where_eq_3_puts_them():
    head, (v_a, v_s, _) = ExportedHead(**tensors()), vectors()
    other = np.random.default_rng(9).normal(size=v_s.shape).astype(np.float32)
    assert head.fused(v_a, v_s, 1.0) == pytest.approx(head.fused(v_a, other, 1.0))  # w = 1: APN only
    assert not np.allclose(head.fused(v_a, v_s, 0.0), head.fused(v_a, other, 0.0))


def test_single_descriptors_and_concat():
    values = tensors()
    head, (v_a, v_s, w) = ExportedHead(**values), vectors()
    for i in range(N):
        assert head.apn_descriptor(v_a)[i] == pytest.approx(unit(v_a[i] * values["apn_scale"] + values["apn_shift"]), abs=1e-6)
        assert head.apan_descriptor(v_s)[i] == pytest.approx(unit(v_s[i] * values["apan_scale"] + values["apan_shift"]), abs=1e-6)
        assert concat(v_a, v_s, w)[i] == pytest.approx(unit(np.concatenate([w[i] * unit(v_a[i]), (1 - w[i]) * unit(v_s[i])])), abs=1e-6)
    assert concat(v_a, v_s, 0.25) == pytest.approx(concat(v_a, v_s, np.full(N, 0.25)))


def test_a_zero_vector_stays_zero():
    assert unit_rows(np.array([[0, 0], [3, 4]], np.float32)) == pytest.approx(np.array([[0, 0], [0.6, 0.8]]))


@pytest.mark.parametrize(("activation", "normalize"), [("none", "true"), ("relu", "false")])
def test_load_reads_what_stage_6_writes(tmp_path: Path, activation: str, normalize: str):
    save_file(tensors(), tmp_path / "head.safetensors", metadata={"activation": activation, "normalize": normalize})
    head = ExportedHead.load(tmp_path / "head.safetensors")
    assert (head.relu, head.normalize) == (activation == "relu", normalize == "true")
    v_a, v_s, w = vectors()
    assert (head.fused(v_a, v_s, w) == ExportedHead(**tensors(), relu=head.relu, normalize=head.normalize).fused(v_a, v_s, w)).all()


def test_bad_heads_are_named(tmp_path: Path):
    path = tmp_path / "head.safetensors"
    good = {"activation": "none", "normalize": "true"}
    with pytest.raises(InputError, match=r"head\.safetensors: is no fusion head"):
        ExportedHead.load(path)
    path.write_bytes(b"no safetensors")
    with pytest.raises(InputError, match="is no fusion head"):
        ExportedHead.load(path)
    save_file({name: value for name, value in tensors().items() if name != "fc_shift"}, path, metadata=good)
    with pytest.raises(InputError, match="fc_shift"):
        ExportedHead.load(path)
    save_file(tensors(), path, metadata={**good, "activation": "tanh"})
    with pytest.raises(InputError, match="activation 'tanh'"):
        ExportedHead.load(path)
    save_file(tensors(), path)
    with pytest.raises(InputError, match="normalize None"):
        ExportedHead.load(path)
    save_file({**tensors(), "apn_shift": np.zeros(DA + 1, np.float32)}, path, metadata=good)
    with pytest.raises(InputError, match="shapes do not belong together"):
        ExportedHead.load(path)
    with pytest.raises(InputError, match="is for v_a of 4 and v_s of 3, got 3 and 3"):
        ExportedHead(**tensors()).parts(np.zeros((1, 3), np.float32), np.zeros((1, 3), np.float32))
