"""Fault C5: whose attributes a train identity gets in the original code."""

from pathlib import Path

from qafm.datasets.market_attributes import Codes, read_market_attributes
from qafm.datasets.relabelled_attributes import NOTHING, relabelled_attributes


def record(value: int | None) -> Codes:
    return (value,) * 12


def test_the_label_is_looked_up_as_if_it_were_an_identity() -> None:
    records = {2: record(1), 3: record(None), 7: record(4), 9: record(5)}
    # labels 0, 1, 2, 3 of the identities 3, 7, 9, 11: no record 0 and 1, record 2 is identity 2's, in record 3 nothing is known
    assert relabelled_attributes(records, [9, 3, 7, 3, 11]) == {3: NOTHING, 7: NOTHING, 9: record(1), 11: record(0)}


def test_on_market_1501_nobody_gets_their_own(shared: Path) -> None:
    records = read_market_attributes(shared / "data" / "market1501" / "market_attribute.mat")["train"]
    found = relabelled_attributes(records, records)
    assert len(found) == 751
    labels = {pid: label for label, pid in enumerate(sorted(records))}
    assert not any(labels[pid] == pid for pid in found)
    assert sum(labels[pid] in records for pid in found) == 396
    assert sum(codes == NOTHING for codes in found.values()) >= 355
