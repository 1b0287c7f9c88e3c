"""`import qafm` is light: what it offers is imported when it is asked for, torch with `qafm.load`."""

import importlib.metadata
import subprocess
import sys

import pytest

import qafm
from qafm.errors import InputError


def test_importing_the_package_imports_no_torch() -> None:
    code = (
        "import sys, qafm; dir(qafm), qafm.__version__, qafm.InputError; assert 'torch' not in sys.modules, 'torch'; "
        "assert callable(qafm.load); assert 'torch' in sys.modules"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr


def test_importing_the_package_imports_nothing_at_all() -> None:
    code = "import sys; before = set(sys.modules); import qafm; print(*sorted(set(sys.modules) - before))"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.split() == ["qafm"]


def test_it_offers_three_names_and_nothing_else() -> None:
    assert {name for name in dir(qafm) if not name.startswith("_")} >= {"InputError", "load"} and "__version__" in dir(qafm)
    assert qafm.InputError is InputError and qafm.__version__ == importlib.metadata.version("qafm-reid")
    with pytest.raises(AttributeError, match="module 'qafm' has no attribute 'no_such_thing'"):
        qafm.no_such_thing  # noqa: B018  # pyright: ignore[reportAttributeAccessIssue]
