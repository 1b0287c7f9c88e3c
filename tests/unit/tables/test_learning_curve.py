"""What a learning curve says of its training."""

from pathlib import Path

import pytest

from qafm.errors import InputError
from qafm.tables.learning_curve import images_seen, kept_epoch


def curve(folder: Path, text: str) -> Path:
    (folder / "history.csv").write_text(text)
    return folder / "history.csv"


def test_epochs_and_the_last_count(tmp_path: Path) -> None:
    assert images_seen(curve(tmp_path, "epoch,loss,images_seen\n1,0.5,48\n2,0.4,96\n")) == (2, 96)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("epoch,images_seen\n1,x\n", "does not end with a number of images seen"),
        ("epoch,images_seen\n", "does not end with a number of images seen"),
        ("epoch,loss\n1,1\n", "has no column 'images_seen'"),
    ],
)
def test_a_curve_that_does_not_count_is_named(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(InputError, match=rf"history\.csv: {message}"):
        images_seen(curve(tmp_path, text))


def test_the_epoch_that_was_kept(tmp_path: Path) -> None:
    assert kept_epoch(curve(tmp_path, "epoch,loss,kept\n1,0.5,0\n2,0.4,1\n3,0.5,0\n")) == 2


@pytest.mark.parametrize(
    ("text", "message"),
    [("epoch,kept\n1,0\n", "0 epochs are marked as kept, expected 1"), ("epoch,loss\n1,1\n", "has no column 'kept'")],
)
def test_a_curve_without_a_kept_epoch_is_named(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(InputError, match=rf"history\.csv: {message}"):
        kept_epoch(curve(tmp_path, text))
