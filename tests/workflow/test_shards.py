"""How many shards of perturbed images lie on the disk at once."""

import re
import shutil
from pathlib import Path

from tests.workflow.conftest import TINY, Project

SHARDS, CORES = 10, 2


def test_a_shard_is_used_before_the_next_ones_are_made(finished: Project, tmp_path: Path) -> None:
    copy = Project(tmp_path / "project")
    shutil.copytree(finished.root, copy.root, symlinks=True)
    config = copy.config("shards.yaml", f"dataset: {{shards: {SHARDS}}}\nruntime: {{threads: 1}}\n")
    output = copy.must_run("results/tiny/r10-tiny/quality.parquet", *TINY, config, cores=CORES)
    there, most = 0, 0
    for rule in re.findall(r"^Finished jobid: \d+ \(Rule: (\w+)\)$", output, flags=re.MULTILINE):
        there += {"perturb_images": 1, "extract_features": -1}.get(rule, 0)
        most = max(most, there)
    assert output.count("(Rule: perturb_images)") == output.count("(Rule: extract_features)") == SHARDS
    assert there == 0 and most <= CORES
    assert not list((copy.root / "results/tiny/perturbed").glob("*.parquet"))
