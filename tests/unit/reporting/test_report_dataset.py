import json
from pathlib import Path
from typing import Any

import pytest

from qafm.errors import InputError
from qafm.reporting.report_dataset import DatasetView, describe_dataset, quality_spreads
from tests.made_up_report import HOSTILE, dataset_content, quality_content


def described(folder: Path, same_camera: str = "drop", **changes: Any) -> DatasetView:
    (folder / "dataset.json").write_text(json.dumps(dataset_content(**changes)))
    return describe_dataset(folder / "dataset.json", same_camera)


def test_counts_per_split_with_cameras_in_order(tmp_path: Path) -> None:
    view = described(tmp_path)
    per_identity = "images per identity (min, mean, max)"
    assert view.split_columns == ["images", "identities", "distractors", "junk", per_identity, "camera 1", "camera 2", "camera 10"]
    assert view.splits[0] == ("train", ["30", "10", "0", "0", "1, 2.5, 4", "30", "3", "0"])
    assert view.splits[2] == ("gallery", ["12", "3", "1", "2", "1, 2.5, 4", "12", "3", "0"])
    assert (view.kind, view.root) == ("folders", "data/<b>odd</b>")


def test_every_oddity_is_a_finding(tmp_path: Path) -> None:
    found = {finding.text: finding for finding in described(tmp_path).findings}
    assert {text: finding.count for text, finding in found.items()} == {
        "Names that end in .jpg.jpg (kept)": 250,
        "something new": 1,
        "Set aside from train: the file is empty": 1,
        "Copies of another image of the same identity, dropped": 1,
        "Identical images under different identities: one label is wrong": 1,
        "Queries without a right image in the gallery, left out of the metrics": 1,
        "Files that are no images": 1,
    }
    doubled = found["Names that end in .jpg.jpg (kept)"]
    assert (len(doubled.names), doubled.names[0], doubled.more) == (200, "000.jpg.jpg", 50)
    assert found["Set aside from train: the file is empty"].names == [HOSTILE[0]]
    assert found["Copies of another image of the same identity, dropped"].names == ["b.jpg is a.jpg"]
    assert found["Identical images under different identities: one label is wrong"].names == ["x.jpg = y.jpg"]


def test_a_camera_that_a_split_lacks_has_no_image_there(tmp_path: Path) -> None:
    splits = dataset_content()["splits"]
    splits["query"]["per_camera"] = {"2": 7}
    view = described(tmp_path, splits=splits)
    assert [cells[-3:] for _, cells in view.splits] == [["30", "3", "0"], ["0", "7", "0"], ["12", "3", "0"]]


def test_oddities_of_identities_are_findings(tmp_path: Path) -> None:
    content = dataset_content()
    anomalies = {"ids_in_train_and_test": ["7", "9"], "not_the_official_count": ["query: 7 images, Market-1501 has 3368"]}
    copies = content["copies"] | {"under_one_identity": [["u.jpg", "v.jpg", "w.jpg"], ["x.jpg", "y.jpg"]]}
    view = described(tmp_path, anomalies=anomalies, copies=copies, attributes=content["attributes"] | {"ids_without": [5, "anna"]})
    found = {finding.text: finding.names for finding in view.findings}
    assert found["Identities that are trained on and tested on"] == ["7", "9"]
    assert found["Splits whose number of images is not the official one"] == ["query: 7 images, Market-1501 has 3368"]
    assert found["Identical images of one identity, kept"] == ["u.jpg = v.jpg = w.jpg", "x.jpg = y.jpg"]
    assert found["Identities without attributes"] == ["5", "anna"]


def test_the_protocol_decides_which_queries_count(tmp_path: Path) -> None:
    drop, keep = described(tmp_path), described(tmp_path, "keep")
    assert drop.facts == [
        "2 train identities with 6 images are held out from training.",
        "6 of 7 queries have a right image in another camera; only these count.",
    ]
    assert keep.facts[1] == "7 of 7 queries have a right image in the gallery; only these count."
    assert not any(finding.text.startswith("Queries without") for finding in keep.findings)


def test_another_set_that_is_searched_is_named(tmp_path: Path) -> None:
    view = described(tmp_path, test={"kind": "market1501", "root": "data/<b>other</b>", "added_to_pid": 0})
    assert view.facts[0] == "Query and gallery are those of another set, of kind market1501, below data/<b>other</b>."


def test_a_clean_data_set_has_no_findings(tmp_path: Path) -> None:
    clean = {"anomalies": {}, "set_aside": {"total": 0, "counts": {}, "files": []}, "other_files": [], "dropped_copies": {}}
    copies = {"under_different_identities": [], "under_one_identity": [], "queries_with_a_copy_in_the_gallery": 0}
    view = described(tmp_path, "keep", **clean, copies=copies, attributes=None, holdout={"ids": [], "images": 0})
    assert view.findings == []
    assert (view.attributes, view.attribute_facts) == ([], [])
    assert view.facts[0] == "No identity is held out."


def test_attributes_of_classes_that_occur(tmp_path: Path) -> None:
    view = described(tmp_path)
    assert view.attributes == [("gender", "male", [5, 2] * 3), ("gender", "unknown", [2, 1] * 3)]
    assert view.attribute_facts[0] == "train: 2 different descriptions by attributes; 2 identities share theirs with another, at most 2 the same one."


def test_q_per_set_with_its_drawing(tmp_path: Path) -> None:
    (tmp_path / "quality.json").write_text(json.dumps(quality_content()))
    spreads, sentence = quality_spreads(tmp_path / "quality.json")
    assert [spread.name for spread in spreads] == ["train, trained on", "query", "gallery, without distractors"]  # no distractor has a Q
    assert spreads[0].numbers == ["5", "2", "0.2000", "0.0500", "0.1900", "0.1000", "0.3000"]
    assert spreads[1].numbers[1] == ""
    assert (spreads[0].line, spreads[0].box, spreads[0].dot) == ((0.0, 100.0), (25.0, 75.0), 50.0)
    assert (spreads[2].line, spreads[2].box, spreads[2].dot) == ((25.0, 50.0), (35.0, 45.0), 40.0)
    assert sentence == (
        "Q is computed from 35 variants of every image, the original among them; low means stable. "
        "Its scale comes from 6 images of the held-out train identities: mean 0.2000, standard deviation 0.0500."
    )


def test_a_box_stays_within_the_drawing(tmp_path: Path) -> None:
    skewed = {"images": 9, "identities": 3, "mean": 0.12, "sd": 0.04, "median": 0.1, "min": 0.1, "max": 0.3}
    mirrored = skewed | {"mean": 0.28}
    (tmp_path / "quality.json").write_text(json.dumps(quality_content(sets={"query": skewed, "gallery": mirrored})))
    spreads, _ = quality_spreads(tmp_path / "quality.json")
    assert [spread.box for spread in spreads] == [(0.0, 30.0), (70.0, 100.0)]


def test_published_q_and_constant_q(tmp_path: Path) -> None:
    constant = {"images": 2, "identities": 1, "mean": 0.5, "sd": 0.0, "median": 0.5, "min": 0.5, "max": 0.5}
    reference = {"set": "train", "images": 2, "mean": 0.5, "sd": 0.1}
    content = quality_content(published="q.csv", variants=None, reference=reference, sets={"query": constant})
    (tmp_path / "quality.json").write_text(json.dumps(content))
    spreads, sentence = quality_spreads(tmp_path / "quality.json")
    assert sentence.startswith("Q is read from q.csv; low means stable. Its scale comes from 2 images of the train images: mean 0.5000")
    assert spreads[0].line == (0.0, 0.0)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"sets": 3}'])
def test_other_files_are_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.json").write_text(text)
    for describe in (lambda: describe_dataset(tmp_path / "a.json", "drop"), lambda: quality_spreads(tmp_path / "a.json")):
        with pytest.raises(InputError, match=r"a\.json: "):
            describe()


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"a\.json: cannot be read as JSON"):
        quality_spreads(tmp_path / "a.json")
