from pathlib import Path

import pytest

from qafm.runtime.code_digest import code_digest, files_digest, import_closure, script_digest

FILES = {
    "pack/__init__.py": "",
    "pack/stage.py": (
        '"""Stage."""\nimport numpy as np\nfrom pack.models import fusion\nfrom pack.losses.triplet import margin\n'
        '\n\ndef run(x: int) -> int:\n    """Run."""\n    return fusion.fuse(x) + margin\n'
    ),
    "pack/models/__init__.py": "",
    "pack/models/fusion.py": "from pack.config import Setting\n\n\ndef fuse(x):\n    # add one\n    return x + 1\n",
    "pack/losses/__init__.py": "",
    "pack/losses/triplet.py": "margin = 3\n",
    "pack/config.py": 'from lib import Field\n\nSetting = Field(default=1, description="old words")\n',
    "pack/other.py": "unrelated = 1\n",
}


@pytest.fixture
def package(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    (tmp_path / "script.py").write_text("from pack.stage import run\nrun(1)\n")
    return tmp_path


def digest(root: Path) -> str:
    code_digest.cache_clear()
    return code_digest("pack.stage", root)


def test_closure_holds_what_is_imported_directly_or_not(package: Path) -> None:
    expected = {"pack", "pack.stage", "pack.models", "pack.models.fusion", "pack.losses", "pack.losses.triplet", "pack.config"}
    assert set(import_closure("pack.stage", package)) == expected


@pytest.mark.parametrize("name", ["stage", "models/fusion", "losses/triplet", "config"])
def test_every_imported_file_counts(package: Path, name: str) -> None:
    before = digest(package)
    path = package / "pack" / f"{name}.py"
    path.write_text(path.read_text() + "\nadded = 1\n")
    assert digest(package) != before


def test_comments_docstrings_layout_and_descriptions_do_not_count(package: Path) -> None:
    before = digest(package)
    for path in package.rglob("pack/**/*.py"):
        text = path.read_text().replace("# add one", "# plus one").replace('"""Run."""', '"""Do\n    it."""').replace("old words", "new words")
        path.write_text(text.replace("x + 1", "(x\n        + 1)") + "\n\n# the end\n")
    assert digest(package) == before


def test_what_a_module_loads_on_demand_does_not_count(package: Path) -> None:
    before = digest(package)
    (package / "pack" / "__init__.py").write_text(
        '"""Words."""\n\n\ndef __getattr__(name):\n    from importlib import import_module\n\n    return import_module(name)\n'
        '\n\ndef __dir__():\n    return ["name"]\n'
    )
    assert digest(package) == before
    (package / "pack" / "__init__.py").write_text("def of_its_own():\n    pass\n")
    assert digest(package) != before


def test_other_files_do_not_count(package: Path) -> None:
    before = digest(package)
    (package / "pack" / "other.py").write_text("unrelated = 2\n")
    assert digest(package) == before


def test_script_counts_too(package: Path) -> None:
    before = script_digest(package / "script.py", "pack.stage", package)
    (package / "script.py").write_text("from pack.stage import run\nrun(1)  # once\n")
    assert script_digest(package / "script.py", "pack.stage", package) == before
    (package / "script.py").write_text("from pack.stage import run\nrun(2)\n")
    assert script_digest(package / "script.py", "pack.stage", package) != before


def test_unknown_module_is_an_error(package: Path) -> None:
    with pytest.raises(ModuleNotFoundError, match=r"pack\.missing"):
        import_closure("pack.missing", package)


def test_files_digest_follows_names_and_contents(tmp_path: Path) -> None:
    for name, text in (("a.css", "x"), ("b.js", "y")):
        (tmp_path / name).write_text(text)
    first = files_digest(tmp_path.iterdir())
    assert files_digest(reversed(sorted(tmp_path.iterdir()))) == first
    (tmp_path / "a.css").write_text("z")
    assert files_digest(tmp_path.iterdir()) != first
    (tmp_path / "a.css").write_text("x")
    (tmp_path / "b.js").rename(tmp_path / "c.js")
    assert files_digest(tmp_path.iterdir()) != first
