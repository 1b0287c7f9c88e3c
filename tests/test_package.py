"""`import qafm` is light: torch comes with the first use of `qafm.load`."""

import subprocess
import sys

import pytest

import qafm


def test_importing_the_package_imports_no_torch() -> None:
    code = "import sys, qafm; assert 'torch' not in sys.modules, 'torch'; assert callable(qafm.load); assert 'torch' in sys.modules"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr


def test_it_offers_load_and_nothing_else() -> None:
    with pytest.raises(AttributeError, match="module 'qafm' has no attribute 'no_such_thing'"):
        qafm.no_such_thing  # noqa: B018  # pyright: ignore[reportAttributeAccessIssue]
