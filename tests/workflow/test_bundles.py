"""`snakemake bundles` on a finished run: nothing is trained again, and what the bundle answers is what the run stored."""

import shutil
from pathlib import Path

import numpy as np
import pyarrow.compute as pc
import pytest

import qafm
from qafm.datasets.read_image import read_image
from qafm.evaluation.fuse import ExportedHead
from qafm.tables.parquet import read_parquet
from tests.workflow.conftest import TINY, Project

pytestmark = pytest.mark.workflow


@pytest.fixture(scope="module")
def bundled(finished: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A copy of the finished project, with its bundle."""
    target = tmp_path_factory.mktemp("bundled") / "project"
    copy = Project(Path(shutil.copytree(finished.root, target, symlinks=True)))
    assert copy.planned("bundles") - {"bundles"} == {"bundle_model"}
    copy.must_run("bundles", *TINY)
    return copy


def test_a_bundle_answers_what_the_run_stored(bundled: Project) -> None:
    features = bundled.root / "results" / "tiny" / "r10-tiny"
    seed = features / "tiny" / "seed-1"
    model = qafm.load(seed, device="cpu")
    stored = read_parquet(seed / "embeddings" / "fusion.parquet").filter(pc.field("split") == "query").slice(0, 6)
    paths = dict(zip(*(read_parquet(bundled.root / "results" / "tiny" / "images.parquet")[name].to_pylist() for name in ("image_id", "path")), strict=True))
    quality = {row["image_id"]: row for row in read_parquet(features / "quality.parquet").to_pylist()}
    head = ExportedHead.load(seed / "embeddings" / "fusion.head.safetensors")
    assert model.quality is not None and model.name == "tiny/r10-tiny/tiny/seed-1"
    for row in stored.to_pylist():
        path = bundled.root / paths[row["image_id"]]
        q, *families = model.quality.scores(read_image(path), row["image_id"])  # the noise seeded as in the run
        assert q == pytest.approx(row["q"], rel=1e-5)
        expected = [quality[row["image_id"]][f"q_{family}"] for family in ("light", "blur", "occlusion", "background", "noise")]
        np.testing.assert_allclose(families, expected, rtol=1e-5)
        found = model.embed(path)
        again = head.fused(np.array([row["v_a"]], np.float32), np.array([row["v_s"]], np.float32), found.visual_weight)
        np.testing.assert_allclose(found.descriptor, again, atol=1e-5)  # at the same weight the descriptor that stage 7 ranks by
    assert set(model.config.measured) == {"qafm", "apn_descriptor", "apan_descriptor"} and len(model.config.measured_attributes) == 12


def test_a_setting_of_the_bundle_makes_it_alone_again(bundled: Project) -> None:
    assert bundled.planned("bundles") - {"bundles"} == set()
    half = bundled.config("half.yaml", "bundle: {dtype: float16}\n")
    assert bundled.planned("bundles", half) - {"bundles"} == {"bundle_model"}
    assert bundled.planned("all", half) <= {"write_report"}  # which prints the configuration
    assert "bundle_model" not in bundled.planned("all")
