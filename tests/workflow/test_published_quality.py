"""Q that is read from a file: what a run makes then, and what not (dry runs)."""

import pytest

from tests.workflow.conftest import Project

pytestmark = pytest.mark.workflow


@pytest.mark.parametrize(("init", "trained"), [("random", False), ("extractor", True)])
def test_the_extractor_is_trained_for_branches_that_start_from_it(fresh: Project, init: str, trained: bool) -> None:
    (fresh.root / "q.csv").write_text("file,q\n")
    text = f"quality: {{source: published, published: q.csv}}\nmodel: {{backbone: {{init: {init}}}}}\n"
    planned = fresh.planned("all", fresh.config("published.yaml", text))
    assert "train_fusion" in planned and not {"perturb_images", "extract_features"} & planned
    assert ("train_extractor" in planned) is trained
