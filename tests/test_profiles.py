"""The profile for a cluster is the default one without totals over all jobs."""

from pathlib import Path

import yaml


def test_profiles_differ_in_the_executor_and_the_totals_alone(project: Path) -> None:
    default, slurm = (yaml.safe_load((project / "profiles" / name / "config.yaml").read_text()) for name in ("default", "slurm"))
    assert set(default.pop("resources")) == {"mem_mb", "disk_mb"}
    assert (slurm.pop("executor"), slurm.pop("jobs")) == ("slurm", 20)
    assert slurm == default
