"""What a change reruns: exactly the stages that it touches (dry runs on a finished project)."""

import csv
import shutil
from pathlib import Path

import cv2
import pytest

from tests.workflow.conftest import TINY, Project

pytestmark = pytest.mark.workflow

DESCRIBED = {"describe_model", "plot_architecture", "plot_iqa_branch"}
EXAMPLES = {"choose_examples", "map_activations", "plot_activation", "plot_ranking", "write_report"}
FIGURES = {"plot_identity", "plot_architecture", "plot_iqa_branch", "plot_identifiability", "plot_q", "plot_alpha", "plot_q_against_alpha"}
FIGURES |= {"plot_activation", "plot_ranking", "plot_training", "plot_ablation", "plot_match_reliability", "write_report"}
ABLATION = {"evaluate_alpha", "tabulate_ablation", "tabulate_extra", "tabulate_table3", "tabulate_deciles", "tabulate_reranked", "plot_ablation"}
ORACLE = {"measure_oracle", "tabulate_oracle"}
GUIDES = {"measure_guides", "tabulate_guides"}
DEGRADED = {"measure_degraded", "tabulate_degradations"}
CALIBRATION = {"calibrate_match", "tabulate_calibration", "plot_match_reliability"}
FROM_EMBEDDINGS = (
    ABLATION | EXAMPLES | ORACLE | GUIDES | DEGRADED | CALIBRATION | {"rank_gallery", "rerank_gallery", "plot_q", "plot_alpha", "plot_q_against_alpha"}
)
FROM_FUSION = FROM_EMBEDDINGS | {"train_fusion", "embed_images", "embed_degraded", "score_attributes", "tabulate_attributes", "plot_training"}
FROM_PERTURB = FROM_FUSION | {"perturb_images", "extract_features", "score_quality", "describe_quality", "plot_identifiability", "plot_iqa_branch"}
BASELINES = {"train_baseline", "embed_baseline", "evaluate_descriptors"}
TRAINED_ALONE = {"train_extractor", "pretrain_apan", "pretrain_apn"}
FROM_IMAGES = FROM_PERTURB | FIGURES | BASELINES | TRAINED_ALONE | {"parse_dataset", "measure_controls", "describe_model", "tabulate_table2"}


def test_a_second_run_does_nothing(finished: Project) -> None:
    assert finished.planned() == set()
    assert "Nothing to be done" in finished.must_run("all", "--configfile", "config/tiny.yaml")


def test_list_of_alphas_reruns_only_the_ablation(finished: Project) -> None:
    config = finished.config("alphas.yaml", "ablation: {alphas: [0.25, 0.5]}\n")
    assert finished.planned("all", config) == {"evaluate_alpha", "tabulate_ablation", "tabulate_table3", "tabulate_deciles", "plot_ablation", "write_report"}
    config = finished.config("alphas.yaml", "ablation: {alphas: [0.5]}\n")
    assert finished.planned("all", config) == {"tabulate_ablation", "tabulate_table3", "tabulate_deciles", "plot_ablation", "write_report"}


def test_a_draw_reruns_the_rows_that_it_decides(finished: Project) -> None:
    tables = {"tabulate_extra", "tabulate_table3", "write_report"}
    config = finished.config("permutations.yaml", "ablation: {permutations: 2}\n")
    assert finished.planned_jobs("all", config)["evaluate_alpha"] == 1
    assert tables <= finished.planned("all", config)


def test_rivals_that_are_left_out_are_not_trained(fresh: Project) -> None:
    of_baseline = {"train_fusion": 1, "train_baseline": 1, "embed_baseline": 1, "evaluate_descriptors": 1}
    for listed, trained in (("", {"train_fusion": 1}), ("baseline", of_baseline), ("mspa_0.5", {"train_fusion": 2})):
        planned = fresh.planned_jobs("all", fresh.config("some.yaml", f"ablation: {{rivals: [{listed}]}}\n"))
        assert {rule: planned[rule] for rule in ("train_fusion", *BASELINES) if rule in planned} == trained


def test_a_run_without_rivals_makes_all_tables_from_what_is_there(finished: Project) -> None:
    none = finished.config("none.yaml", "ablation: {rivals: []}\n")
    assert finished.planned("all", none) == {"tabulate_extra", "tabulate_table3", "tabulate_oracle", "plot_training", "write_report"}

    def written(*configs: str) -> tuple[list[set[str]], bool]:
        finished.must_run("all", *TINY, *configs)
        tables = (("table4_extra", "experiment"), ("table3", "method"), ("oracle", "pair"))
        return [
            {row[column] for row in csv.DictReader((finished.root / f"results/{table}.csv").read_text().splitlines())} for table, column in tables
        ], "baseline-a" in (finished.root / "results/report.html").read_text()

    (extra, table3, pairs), curves = written(none)
    assert "apn_descriptor" in extra and not {"mspa_0.5", "baseline", "baseline_twins"} & extra
    assert "APN descriptor" in table3 and not {"MSPA baseline", "Bag of Tricks", "two Bags of Tricks"} & table3
    assert pairs == {"branches"} and not curves
    (extra, table3, pairs), curves = written()  # as it was
    assert {"mspa_0.5", "baseline", "baseline_twins"} <= extra and {"MSPA baseline", "Bag of Tricks"} <= table3
    assert pairs == {"branches", "baselines"} and curves
    assert finished.planned() == set()


def test_reranking_setting_reruns_only_the_reranking(finished: Project) -> None:
    assert finished.planned("all", finished.config("rerank.yaml", "rerank: {k1: 10}\n")) == {"rerank_gallery", "tabulate_reranked", "write_report"}


def test_calibration_setting_reruns_the_calibration_alone(finished: Project) -> None:
    assert finished.planned("all", finished.config("prior.yaml", "calibration: {prior: 0.01}\n")) == CALIBRATION | {"write_report"}


def test_values_to_compare_q_with_rerun_its_table_and_the_guides(finished: Project) -> None:
    (finished.root / "other.csv").write_text("file,q\n")
    assert finished.planned("all", finished.config("compare.yaml", "quality: {compare: other.csv}\n")) == GUIDES | {"describe_quality", "write_report"}


def test_baseline_setting_reruns_the_baselines_and_what_shows_them(finished: Project) -> None:
    planned = finished.planned("all", finished.config("baseline.yaml", "model: {baseline: {training: {epochs: 2}}}\n"))
    assert planned == BASELINES | ORACLE | {"tabulate_extra", "tabulate_table3", "plot_training", "write_report"}


def test_degradation_setting_reruns_its_table_alone(finished: Project) -> None:
    planned = finished.planned("all", finished.config("degraded.yaml", "degradations: {levels: [0.3]}\n"))
    assert planned == DEGRADED | {"embed_degraded", "write_report"}


def test_figure_setting_redraws_only_the_figures(finished: Project) -> None:
    assert finished.planned("all", finished.config("figures.yaml", "figures: {style: {bins: 20}}\n")) == FIGURES


def test_another_example_redraws_what_shows_it(finished: Project) -> None:
    assert finished.planned("all", finished.config("example.yaml", "figures: {examples: {failure: 1}}\n")) == EXAMPLES
    assert finished.planned("all", finished.config("example.yaml", "figures: {examples: {identity: 1}}\n")) == {"plot_identity", "write_report"}


def test_report_setting_reruns_the_report(finished: Project) -> None:
    assert finished.planned("all", finished.config("report.yaml", "report: {thumbnail_px: 64}\n")) == {"write_report"}
    assert finished.planned("all", finished.config("report.yaml", "report: {ranks: 5}\n")) == EXAMPLES | {"rank_gallery"}
    with finished.appended("qafm/reporting/page/style.css", "\n/* wider */\n"):
        assert finished.planned() == {"write_report"}


def test_perturbation_parameter_reruns_everything_from_stage_2_on_that_sees_it(finished: Project) -> None:
    assert finished.planned("all", finished.config("perturb.yaml", "perturb: {gaussian_sigma: 20}\n")) == FROM_PERTURB


def test_weight_setting_reruns_stage_6_on(finished: Project) -> None:
    assert finished.planned("all", finished.config("alpha.yaml", "model: {fusion: {alpha: {lr: 0.02}}}\n")) == FROM_FUSION | DESCRIBED


@pytest.mark.parametrize(("path", "rules"), [("qafm/models/fusion.py", FROM_FUSION | DESCRIBED), ("qafm/training/train_fusion.py", FROM_FUSION)])
def test_code_of_the_fusion_reruns_stage_6_on(finished: Project, path: str, rules: set[str]) -> None:
    with finished.appended(path, "\nEDITED = 1\n"):
        assert finished.planned() == rules


def test_code_of_a_script_reruns_its_rule(finished: Project) -> None:
    with finished.appended("workflow/scripts/8_plot_q.py", "\nEDITED = 1\n"):
        assert finished.planned() == {"plot_q", "write_report"}


@pytest.mark.parametrize("path", ["qafm/models/fusion.py", "qafm/models/resnet.py", "qafm/config/training.py", "workflow/scripts/6_train_fusion.py"])
def test_comment_reruns_nothing(finished: Project, path: str) -> None:
    with finished.appended(path, "\n# a remark\n"):
        assert finished.planned() == set()


def test_copied_project_reruns_nothing(finished: Project, tmp_path: Path) -> None:
    copy = tmp_path / "elsewhere" / "copy"
    shutil.copytree(finished.root, copy, symlinks=True, copy_function=shutil.copyfile)  # every file gets a new time
    assert Project(copy).planned() == set()


def test_replaced_image_reruns_everything_that_saw_it(finished: Project) -> None:
    path = next(iter(sorted((finished.root / "results/tiny/raw/query").glob("*.jpg"))))
    content = path.read_bytes()
    try:
        path.touch()
        assert finished.planned() == set()
        image = cv2.imread(str(path))
        assert image is not None
        cv2.imwrite(str(path), 255 - image)
        assert finished.planned() == FROM_IMAGES
    finally:
        path.write_bytes(content)
    assert finished.planned() == set()


def test_without_stage_1_apan_is_not_trained_alone(finished: Project) -> None:
    config = finished.config("one_stage.yaml", "model: {name: one-stage, apan: {pretrain: false}}\n")
    planned = finished.planned("all", config)
    assert "pretrain_apan" not in planned
    assert {"pretrain_apn", "train_fusion", "score_attributes", "tabulate_attributes", "write_report"} <= planned
