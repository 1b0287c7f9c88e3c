import numpy as np
import pytest

from qafm.evaluation.class_scores import ClassScores, commonest, mean_scores, score_classes


def slow_score(predicted: list[int], labels: list[int], size: int, answered_too: bool) -> tuple[float, float]:
    """Accuracy and macro F1 by precision and recall, image by image."""
    pairs = [(p, y) for p, y in zip(predicted, labels, strict=True) if y >= 0]
    f1 = []
    for c in range(size):
        if not any(y == c or (answered_too and p == c) for p, y in pairs):
            continue
        hits = sum(p == y == c for p, y in pairs)
        precision = hits / max(1, sum(p == c for p, _ in pairs))
        recall = hits / max(1, sum(y == c for _, y in pairs))
        f1.append(2 * precision * recall / (precision + recall) if hits else 0.0)
    return 100 * sum(p == y for p, y in pairs) / len(pairs), 100 * sum(f1) / len(f1)


@pytest.mark.parametrize("seed", range(6))
def test_scores_against_loops(seed: int) -> None:
    rng = np.random.default_rng(seed)
    labels = rng.choice([-1, 0, 1, 3, 4], 60)  # class 2 has no label
    predicted = np.where(rng.random(60) < 0.5, np.maximum(labels, 0), rng.integers(0, 6, 60))
    for over, answered_too in (("labelled", False), ("labelled or predicted", True)):
        score = score_classes(predicted, labels, 6, over)
        assert score is not None
        assert (score.accuracy, score.macro_f1) == pytest.approx(slow_score(predicted.tolist(), labels.tolist(), 6, answered_too))


def test_an_unlabelled_class_has_no_part_in_macro_f1_or_an_f1_of_0() -> None:
    # Class 0: 2 right of 2 labelled and 2 answered. Class 1: 1 right of 2 labelled, answered once. Class 2, never labelled, is answered once.
    predicted, labels = np.array([0, 0, 1, 2]), np.array([0, 0, 1, 1])
    assert score_classes(predicted, labels, 3, "labelled") == ClassScores(75.0, pytest.approx(100 * (1 + 2 / 3) / 2))
    assert score_classes(predicted, labels, 3, "labelled or predicted") == ClassScores(75.0, pytest.approx(100 * (1 + 2 / 3 + 0) / 3))


def test_a_class_that_was_not_learned_has_no_part_in_macro_f1_but_in_accuracy() -> None:
    predicted, labels, learned = np.array([0, 0, 1, 1]), np.array([0, 0, 1, 2]), np.array([True, True, False])
    assert score_classes(predicted, labels, 3, "labelled") == ClassScores(75.0, pytest.approx(100 * (1 + 2 / 3 + 0) / 3))
    assert score_classes(predicted, labels, 3, "labelled", learned) == ClassScores(75.0, pytest.approx(100 * (1 + 2 / 3) / 2))
    assert score_classes(np.array([0]), np.array([2]), 3, "labelled", learned) == ClassScores(0.0, 0.0)


def test_unknown_labels_do_not_count_and_without_any_there_is_no_score() -> None:
    assert score_classes(np.array([0, 1, 1]), np.array([0, -1, 1]), 2, "labelled") == ClassScores(100.0, 100.0)
    assert score_classes(np.array([0, 1]), np.array([-1, -1]), 2, "labelled") is None


def test_the_commonest_class() -> None:
    assert commonest(np.array([2, 1, 1, 2, -1, -1, -1]), 3) == 1  # the lowest of several
    assert commonest(np.array([-1, -1]), 3) is None


def test_global_is_the_mean_of_the_heads_that_have_a_score() -> None:
    assert mean_scores([ClassScores(80, 60), ClassScores(90, 30)]) == ClassScores(85, 45)
    assert mean_scores([]) is None
