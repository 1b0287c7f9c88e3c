"""What workflow scripts do around their one function call: log, watch the parent, tell errors in one line, turn the names in a rule's params into paths."""

import logging
import sys
import time
import traceback
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from qafm.errors import InputError
from qafm.runtime.files import only_writer
from qafm.runtime.parent import end_with_parent

LOGGER = logging.getLogger("qafm")


def _open_log(log: Path, name: str) -> None:
    log.parent.mkdir(parents=True, exist_ok=True)
    LOGGER.setLevel(logging.INFO)
    LOGGER.propagate = False
    for handler in (logging.FileHandler(log, mode="w", encoding="utf-8"), logging.StreamHandler(sys.stderr)):
        handler.setFormatter(logging.Formatter(f"%(asctime)s {name}: %(message)s", datefmt="%H:%M:%S"))
        LOGGER.addHandler(handler)


@contextmanager
def stage_job(name: str, log: str | Path) -> Iterator[None]:
    """Run the body as the job `name`, the only one that writes its outputs: Snakemake sees to that.

    Messages of the logger "qafm" go to the file `log` and to stderr. An InputError ends the process with
    status 1 and its one line, Ctrl-C with status 130 and one; any other error leaves its traceback in the log as well.

    Args:
        name: what the messages are headed with, for example "train_fusion seed 1".
        log: the rule's log file; it is replaced.
    """
    _open_log(Path(log), name)
    end_with_parent()
    start = time.monotonic()
    try:
        with only_writer():
            yield
    except InputError as error:
        LOGGER.error("error: %s", error)
        sys.exit(1)
    except KeyboardInterrupt:
        LOGGER.error("interrupted: the same command goes on from what is done")
        sys.exit(130)
    except Exception:
        LOGGER.error("%s", traceback.format_exc())
        sys.exit(1)
    LOGGER.info("done in %.1f s", time.monotonic() - start)


def labelled_files(rows: Iterable[Sequence[Any]]) -> list[tuple[Any, Any, Path]]:
    """Rows of a rule's params, each two labels such as seed and experiment and the name of their file, with the name as a path."""
    return [(first, second, Path(name)) for first, second, name in rows]
