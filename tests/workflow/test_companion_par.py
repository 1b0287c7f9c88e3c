"""Companion c1 as a whole: `make companions` makes all of it, twice the same, and a change reruns what it touches."""

import pytest

from tests.workflow.conftest import PAGE, Project

pytestmark = pytest.mark.workflow

TABLES = ("par_accuracy", "par_f1", "siamese")
FIGURES = ("par_labels", "siamese_distances")
SEARCHED = {"embed_siamese", "evaluate_siamese", "tabulate_siamese", "plot_distances"}
COMPARED = {"tabulate_comparison", "tabulate_cost", "plot_comparison"}  # companion c4 shows the siamese network, too
COUNTED = COMPARED | {"describe_compared"}
PREDICTED = {"predict_par", "tabulate_par", "evaluate_siamese", "tabulate_siamese"}


def planned(companions: Project, *configs: str) -> set[str]:
    return companions.planned("companions", *configs) - PAGE


def test_everything_is_there(companions: Project) -> None:
    results = companions.root / "results"
    assert {f"{name}.csv" for name in TABLES} <= {path.name for path in results.glob("*.csv")}
    assert {f"{name}.{kind}" for name in FIGURES for kind in ("png", "svg", "rst")} <= {path.name for path in (results / "figures").iterdir()}
    folder = results / "tiny" / "companions"
    for loss in ("weighted_ce", "alpha_focal"):
        assert {"model.safetensors", "history.csv", "predictions.parquet"} <= {path.name for path in (folder / "par" / loss / "seed-1").iterdir()}
    for arm in ("transfer", "reference"):
        names = {path.name for path in (folder / "siamese" / arm / "seed-1").iterdir()}
        assert {"model.safetensors", "history.csv", "descriptors.parquet", "retrieval.json", "filters.json"} <= names
    assert not list(results.rglob(".resume"))


def test_nothing_of_the_main_chain_is_trained_for_it(fresh: Project) -> None:
    assert {rule for rule in fresh.planned("results/siamese.csv") if "train" in rule} == {"train_par", "train_siamese"}


def test_a_second_run_does_nothing(companions: Project) -> None:
    assert planned(companions) == set()


@pytest.mark.parametrize(
    ("change", "rules"),
    [
        ("siamese: {filters: {max_different: [1]}}", {"evaluate_siamese", "tabulate_siamese"} | COMPARED),
        ("siamese: {training: {lr: 0.5}}", SEARCHED | COUNTED | {"train_siamese"}),
        ("training: {lr: 0.5}", SEARCHED | PREDICTED | COUNTED | {"train_par", "train_siamese"}),
        ("multi_color: never", SEARCHED | PREDICTED | COUNTED | {"train_par", "train_siamese", "plot_labels"}),
        ("losses: [weighted_ce]", {"tabulate_par"}),
    ],
)
def test_a_setting_reruns_what_it_touches(companions: Project, change: str, rules: set[str]) -> None:
    assert planned(companions, companions.config("change.yaml", f"companions: {{par: {{{change}}}}}\n")) == rules


def test_code_and_style_rerun_what_they_touch(companions: Project) -> None:
    assert planned(companions, companions.config("style.yaml", "figures: {style: {bins: 20}}\n")) == {
        "plot_labels",
        "plot_distances",
        "plot_slicenet_cases",
        "plot_parts",
        "plot_comparison",
    }
    with companions.appended("qafm/companions/par/tabulate_siamese.py", "\nEDITED = 1\n"):
        assert planned(companions) == {"tabulate_siamese"}
    with companions.appended("qafm/companions/par/train_par.py", "\n# a remark\n"):
        assert planned(companions) == set()
