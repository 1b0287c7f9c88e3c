# What all rules share: the checked configuration, the three levels of paths, code digests.
import os
from pathlib import Path

from snakemake.exceptions import WorkflowError
from snakemake.logging import logger

from qafm.config.run import check_names, load_presets, load_run_config
from qafm.runtime.code_digest import files_digest, script_digest
from qafm.errors import InputError

os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # torch's waiting threads leave the core to others: benchmarks/waiting_threads.py


def checked_config():
    """The typed configuration; bad input ends here, in one line, before any rule is read."""
    try:
        check_names(load_presets(Path(workflow.basedir) / "config"))
        return load_run_config(config, [Path(file) for file in workflow.configfiles])
    except InputError as error:
        raise WorkflowError(str(error)) from None


def total_of(name):
    """What all jobs together may take of a resource; None: no limit."""
    return getattr(workflow.global_resources.get(name), "value", None)


def check_totals():
    """Snakemake cuts what a job asks for down to the total of all jobs, without a word: end here instead."""
    for key, name in (("mem_mb", "mem_mb"), ("shard_disk_mb", "disk_mb"), ("gpus", "gpu")):
        asked, total = getattr(CFG.runtime, key), total_of(name)
        if total is not None and asked > total:
            raise WorkflowError(
                f"runtime.{key}: one job asks for {asked}, but all together may take {name}={total}: raise the total in profiles/default/config.yaml"
                " or by --resources, which replaces all totals there"
            )


def tell_idle_cores():
    """Say where the total of memory, not the cores and not the machine, decides how many torch jobs run side by side."""
    asked, total, cores = CFG.runtime.mem_mb, total_of("mem_mb"), workflow.resource_settings.cores
    if total is None or cores is None:
        return
    fit, room = total // asked, max(1, cores // CFG.runtime.threads)
    if fit < min(room, os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2**20 // asked):
        logger.warning(
            f"mem_mb={total} for all jobs together and {asked} for one (runtime.mem_mb): {fit} at a time, where {cores} cores have room for {room}."
            " More: --resources mem_mb=... disk_mb=..., or the totals in profiles/default/config.yaml"
        )


CFG = checked_config()
check_totals()
tell_idle_cores()
D, F, M = map(str, CFG.folders())
SEED = str(CFG.seed_folder("{seed}"))
RUNTIME = CFG.runtime.decisive()
SHARDS = [f"{shard:03d}" for shard in range(CFG.dataset.shards)]
ENVIRONMENT = "../../environment.yml"
STAGE_1 = CFG.apan_is_pretrained  # APAN is trained alone first
IS_MARKET = CFG.table_run()["market1501"]  # published numbers stand beside the measured ones


wildcard_constraints:
    seed=r"\d+",
    shard=r"\d{3}",
    fusion="fusion|mspa",
    stage="apan|fusion",
    twin="a|b",
    baseline="baseline|baseline_twins",
    experiment="(?!baseline).+",


def code(script, module):
    """Digest of a rule's script and of all code behind its function's module."""
    return script_digest(Path(workflow.basedir) / "workflow" / "scripts" / f"{script}.py", module)
