"""A stage ends when the Snakemake that started it is gone, so that a killed run leaves nobody writing."""

import os
import threading
import time

import psutil

POLL_SECONDS = 0.25


def _snakemake_ancestors() -> list[psutil.Process]:
    """The parent, and every ancestor up to and including the outermost Snakemake."""
    ancestors = psutil.Process().parents()
    last = 0
    for index, process in enumerate(ancestors):
        try:
            if any("snakemake" in word for word in process.cmdline()[:3]):
                last = index
        except psutil.Error:
            continue
    return ancestors[: last + 1]


def _watch(processes: list[psutil.Process]) -> None:
    """Exit this process as soon as one of `processes` has ended."""
    try:
        while all(process.is_running() and process.status() != psutil.STATUS_ZOMBIE for process in processes):
            time.sleep(POLL_SECONDS)
    except psutil.NoSuchProcess:
        pass
    os._exit(143)


def end_with_parent() -> None:
    """Watch the processes that started this one from a background thread; exit at once when one of them ends."""
    threading.Thread(target=_watch, args=(_snakemake_ancestors(),), name="end-with-parent", daemon=True).start()
