import json
import platform
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

from qafm.errors import InputError
from qafm.reporting.report_provenance import StageCost, as_duration, as_memory, read_costs, read_weights, software, total_cost

RUNTIME = {"device": "cpu", "precision": "bf16", "threads": 3}
HEADER = "s\th:m:s\tmax_rss\tmax_vms\tmax_uss\tmax_pss\tio_in\tio_out\tmean_load\tcpu_time\n"


def weights(path: Path, provenance: dict[str, Any] | None) -> Path:
    metadata = None if provenance is None else {"provenance": json.dumps(provenance)}
    save_file({"a": np.zeros(2, np.float32)}, path, metadata=metadata)
    return path


def benchmark(path: Path, *lines: str) -> Path:
    path.write_text(HEADER + "".join(f"{line}\n" for line in lines))
    return path


def test_headers_tell_code_seed_and_runtime(tmp_path: Path) -> None:
    trained = weights(tmp_path / "a.safetensors", {"code": "0123", "seed": 2, "runtime": RUNTIME})
    extractor = weights(tmp_path / "b.safetensors", {"code": "4567", "config": {"seed": 7}, "runtime": RUNTIME})
    moved = weights(tmp_path / "d.safetensors", {"code": "89", "seed": 1, "runtime": RUNTIME, "machines": ["torch 2 on a GPU", "torch 2 on cpu"]})
    bare = weights(tmp_path / "c.safetensors", None)
    found = read_weights([("apn", 2, trained), ("extractor", None, extractor), ("apan", 1, moved), ("head", 5, bare), ("head", None, bare)])
    assert [(file.stage, file.seed, file.code, file.runtime) for file in found] == [
        ("apn", "2", "0123", "cpu, bf16, 3 threads"),
        ("extractor", "7", "4567", "cpu, bf16, 3 threads"),
        ("apan", "1", "89", "torch 2 on a GPU then torch 2 on cpu, bf16, 3 threads"),
        ("head", "5", "not recorded", "not recorded"),
        ("head", "not recorded", "not recorded", "not recorded"),
    ]
    assert found[0].file == trained.as_posix()


def test_weights_of_another_seed_are_refused(tmp_path: Path) -> None:
    path = weights(tmp_path / "a.safetensors", {"code": "0123", "seed": 2})
    with pytest.raises(InputError, match=r"a\.safetensors: was trained with seed 2, expected 1"):
        read_weights([("apn", 1, path)])


def test_what_is_no_weights_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.safetensors").write_bytes(b"nothing")
    for name in ("a.safetensors", "missing.safetensors"):
        with pytest.raises(InputError, match=rf"{name}: cannot be read as weights"):
            read_weights([("apn", 1, tmp_path / name)])


def test_costs_are_summed_over_the_jobs_of_a_stage(tmp_path: Path) -> None:
    first = benchmark(tmp_path / "1.tsv", "10.5\t0:00:10\t100.5\t1\t1\t1\t0\t0\t90\t20.0")
    second = benchmark(tmp_path / "2.tsv", "1.5\t0:00:01\t300.0\t1\t1\t1\t0\t0\t90\t2.5")
    short = benchmark(tmp_path / "3.tsv", "0.1\t0:00:00\tNA\tNA\tNA\tNA\tNA\tNA\t0.00\tNA")
    missing = tmp_path / "missing.tsv"
    costs = read_costs([("b", first), ("a", short), ("b", second), ("b", missing), ("none", missing)])
    assert costs == [
        StageCost("b", 2, 3, 12.0, 22.5, 300.0),
        StageCost("a", 1, 1, pytest.approx(0.1), None, None),  # type: ignore[arg-type]
        StageCost("none", 0, 1, None, None, None),
    ]
    assert total_cost(costs) == StageCost("stages listed", 3, 5, pytest.approx(12.1), 22.5, 300.0)  # type: ignore[arg-type]
    assert total_cost([]) == StageCost("stages listed", 0, 0, None, None, None)


@pytest.mark.parametrize("text", ["s\tcpu_time\n1\t2\n", HEADER + "x\t0\ty\t1\t1\t1\t0\t0\t90\tz\n", HEADER + "1\t0:00\n"])
def test_other_files_are_no_benchmarks(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.tsv").write_text(text)
    with pytest.raises(InputError, match=r"a\.tsv: is no benchmark file"):
        read_costs([("a", tmp_path / "a.tsv")])


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, "not recorded"),
        (0.04, "0.0 s"),
        (4.25, "4.2 s"),
        (59.9, "59.9 s"),
        (60, "1 min 00 s"),
        (508, "8 min 28 s"),
        (3599.6, "1 h 00 min"),
        (11100, "3 h 05 min"),
    ],
)
def test_durations(seconds: float | None, text: str) -> None:
    assert as_duration(seconds) == text


@pytest.mark.parametrize(("mib", "text"), [(None, "not recorded"), (300.4, "300 MiB"), (1024, "1.0 GiB"), (1536, "1.5 GiB")])
def test_memory(mib: float | None, text: str) -> None:
    assert as_memory(mib) == text


def test_software_names_versions_but_no_machine() -> None:
    found = dict(software())
    assert found["numpy"] == np.__version__
    assert found["Python"] == platform.python_version()
    assert {"torch", "snakemake", "qafm-reid", "opencv-python"} <= set(found)
    assert found["platform"] == f"{platform.system()} {platform.machine()}"
    assert platform.node() not in " ".join(found.values())
