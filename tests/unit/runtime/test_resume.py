from pathlib import Path

import pytest
import torch

from qafm.runtime.resume import ResumeState, resume_key
from tests.full_disk import full_disk


def test_key_depends_on_settings_and_contents_of_inputs(tmp_path: Path) -> None:
    path = tmp_path / "input"
    path.write_text("one")
    key = resume_key({"seed": 1}, [path])
    path.touch()
    assert resume_key({"seed": 1}, [path]) == key
    assert resume_key({"seed": 2}, [path]) != key
    path.write_text("two")
    assert resume_key({"seed": 1}, [path]) != key


def test_state_round_trip_and_clear(tmp_path: Path) -> None:
    state = ResumeState(tmp_path / "state", "key")
    assert state.load("cpu") is None
    for epoch in (1, 2):
        state.save({"history": [{"epoch": epoch}], "model": {"w": torch.full((2,), float(epoch))}})
    loaded = ResumeState(tmp_path / "state", "key").load("cpu")
    assert loaded is not None
    assert loaded["history"] == [{"epoch": 2}]
    assert torch.equal(loaded["model"]["w"], torch.full((2,), 2.0))
    state.clear()
    assert not (tmp_path / "state").exists()


def test_leftover_of_an_interrupted_save_is_removed(tmp_path: Path) -> None:
    state = ResumeState(tmp_path / "state", "key")
    state.folder.mkdir()
    (state.folder / "key.tmp").write_text("half")
    state.save({"history": []})
    assert [path.name for path in state.folder.iterdir()] == ["key.pt"]


@pytest.mark.parametrize("left", [0, 20, -3])
def test_a_state_cut_short_is_told_and_the_training_starts_anew(tmp_path: Path, caplog: pytest.LogCaptureFixture, left: int) -> None:
    state = ResumeState(tmp_path / "state", "key")
    state.save({"history": [1], "model": {"w": torch.ones(1000)}})
    state.path.write_bytes(state.path.read_bytes()[:left])
    assert state.load("cpu") is None
    assert "key.pt: the state of a killed run cannot be read" in caplog.text and "starting anew" in caplog.text
    state.save({"history": [2]})
    loaded = state.load("cpu")
    assert loaded is not None and loaded["history"] == [2]


def test_a_run_that_goes_on_elsewhere_is_told_and_all_its_machines_are_kept(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    for epoch, machine in enumerate(("a GPU", "a GPU", "cpu", "a GPU")):
        state = ResumeState(tmp_path, "key")
        assert state.load(machine) == ({"history": [epoch - 1]} if epoch else None)
        assert ("begun by a GPU, goes on by cpu" in caplog.text) == (machine == "cpu")
        caplog.clear()
        state.save({"history": [epoch]})
    assert state.machines == ["a GPU", "cpu"]


def test_a_full_disk_names_the_state_and_keeps_the_one_before(tmp_path: Path) -> None:
    state = ResumeState(tmp_path / "state", "key")
    state.save({"history": [1]})
    with full_disk(left=20_000), pytest.raises(OSError, match=r"File too large: '.*/state/key\.pt'$"):
        state.save({"history": [2], "model": {"w": torch.ones(100_000)}})
    assert [path.name for path in state.folder.iterdir()] == ["key.pt"]
    assert state.load("cpu") == {"history": [1]}
