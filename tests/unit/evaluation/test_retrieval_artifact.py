"""What is stored of a retrieval: by hand, with a query in the middle that has no right image."""

import numpy as np
import pytest

from qafm.evaluation.ranking import Labels, Retrieval
from qafm.evaluation.retrieval_artifact import gallery_content

VALID = np.array([True, False, True, True])


def retrieval(ap: list[float], first_rank: list[int]) -> Retrieval:
    labels = Labels(np.array([7, 8, 9, 9], np.int32), np.ones(4, np.int16), np.array(["a", "b", "c", "d"]))
    values = np.array([ap[0], np.nan, *ap[1:]])
    return Retrieval(labels, VALID, np.array([first_rank[0], 0, *first_rank[1:]]), values, values / 2, values / 4)


def test_only_valid_queries_are_told_each_with_its_own_identity() -> None:
    found = gallery_content([retrieval([0.5, 1.0, 0.25], [2, 1, 6])], (1, 5), np.array([0.2, 0.4, 0.6, 0.4]))
    assert found["queries"] == {"image_id": ["a", "c", "d"], "pid": [7, 9, 9], "ap": [0.5, 1.0, 0.25], "first_rank": [2, 1, 6]}
    assert (found["n_queries"], found["n_excluded"], found["excluded"]) == (3, 1, ["b"])
    expected = {"rank1": 100 / 3, "rank5": 200 / 3, "mAP": 175 / 3, "mAP_trapezoid": 175 / 6, "mINP": 175 / 12}
    assert found["metrics"] == pytest.approx(expected, abs=1e-6)
    assert (found["visual_weight"], found["visual_weight_sd"]) == (0.4, pytest.approx(np.sqrt(0.02), abs=1e-6))


def test_several_retrievals_are_averaged_query_by_query() -> None:
    found = gallery_content([retrieval([0.5, 1.0, 0.25], [2, 1, 6]), retrieval([0.1, 0.5, 0.75], [1, 3, 1])], (1,))
    assert found["queries"] == {"image_id": ["a", "c", "d"], "pid": [7, 9, 9], "ap": [0.3, 0.75, 0.5], "first_rank": None}
    assert found["metrics"] == pytest.approx({"rank1": 50.0, "mAP": 155 / 3, "mAP_trapezoid": 155 / 6, "mINP": 155 / 12}, abs=1e-6)
    assert found["visual_weight"] is None
