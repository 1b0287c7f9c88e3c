"""Images seen are those that the learning curve counts."""

from pathlib import Path

import pytest

from qafm.companions.comparison.images_seen import images_seen
from qafm.runtime.errors import InputError


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
