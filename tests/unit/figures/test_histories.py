from pathlib import Path

import numpy as np
import pytest

from qafm.errors import InputError
from qafm.figures.histories import read_histories


def write(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def test_seeds_stand_side_by_side_in_ascending_order(tmp_path: Path) -> None:
    two = write(tmp_path / "2.csv", "epoch,identity,late\n1,5,\n2,4,0.5\n3,3,0.25\n")
    one = write(tmp_path / "1.csv", "epoch,identity,late\n1,7,\n2,nan,1.5\n")
    (curves,) = read_histories([("extractor", 2, two), ("extractor", 1, one)])
    assert (curves.stage, curves.seeds, curves.epochs.tolist()) == ("extractor", [1, 2], [1, 2, 3])
    np.testing.assert_array_equal(curves.values["identity"], [[7, np.nan, np.nan], [5, 4, 3]])
    np.testing.assert_array_equal(curves.values["late"], [[np.nan, 1.5, np.nan], [np.nan, 0.5, 0.25]])


def test_columns_without_a_value_are_left_out(tmp_path: Path) -> None:
    source = write(tmp_path / "h.csv", "epoch,identity,weight_mean,weight_sd\n1,5,,inf\n2,4,,nan\n")
    assert list(read_histories([("fusion", 1, source)])[0].values) == ["identity"]


def test_a_column_that_one_seed_has_is_kept(tmp_path: Path) -> None:
    one, two = write(tmp_path / "1.csv", "epoch,identity\n1,5\n"), write(tmp_path / "2.csv", "epoch,identity,mix\n1,5,2\n")
    (curves,) = read_histories([("fusion", 1, one), ("fusion", 2, two)])
    np.testing.assert_array_equal(curves.values["mix"], [[np.nan], [2]])


def test_stages_come_in_the_order_of_the_pipeline(tmp_path: Path) -> None:
    source = write(tmp_path / "h.csv", "epoch,identity\n1,5\n")
    stages = ["mspa", "own", "apn", "fusion", "extractor", "apan"]
    assert [curves.stage for curves in read_histories([(stage, 1, source) for stage in stages])] == ["extractor", "apan", "apn", "fusion", "mspa", "own"]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("epoch,identity\n1,high\n", "is no learning curve"),
        ("identity\n5\n", "has no column 'epoch'"),
        ("epoch,identity\n1\n", "row 1 has another number of cells"),
        ("epoch,identity\n", "empty"),
        ("epoch\n1\n", "empty"),
        ("", "has no column 'epoch'"),
    ],
)
def test_bad_files_are_told(text: str, reason: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=rf"h\.csv: .*{reason}"):
        read_histories([("apn", 1, write(tmp_path / "h.csv", text))])


def test_missing_files_second_histories_and_no_history_are_told(tmp_path: Path) -> None:
    source, other = (write(tmp_path / f"{name}.csv", "epoch,identity\n1,5\n") for name in "ab")
    with pytest.raises(InputError, match=r"none\.csv: cannot be read as CSV"):
        read_histories([("apn", 1, tmp_path / "none.csv")])
    with pytest.raises(InputError, match=r"b\.csv: a second history of apn, seed 1"):
        read_histories([("apn", 1, source), ("apn", 1, other)])
    with pytest.raises(InputError, match="no history"):
        read_histories([])
