from pathlib import Path

import torch

from qafm.runtime.resume import ResumeState, resume_key


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
    assert state.load() is None
    for epoch in (1, 2):
        state.save({"history": [{"epoch": epoch}], "model": {"w": torch.full((2,), float(epoch))}})
    loaded = ResumeState(tmp_path / "state", "key").load()
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
