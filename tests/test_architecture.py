"""The structure explains itself: layers import one way, rule = script = function, functions fit on a screen."""

import ast
import re
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from qafm.runtime.code_digest import import_closure

# A package may import those of its own line and of the lines above.
LAYERS = (
    {"config"},
    {"runtime"},
    {"tables"},
    {"datasets", "perturbations", "models", "losses"},
    {"quality", "evaluation", "images"},
    {"calibration", "galleries", "guides"},
    {"features"},
    {"training"},
    {"bundles"},
    {"inference"},
    {"export"},
    {"figures"},
    {"reporting"},
    {"companions"},
    {"cli"},
)
TORCH_FREE = ("config", "tables", "datasets", "perturbations", "quality", "evaluation", "calibration", "guides", "figures", "reporting")
LONGEST_FUNCTION, LONGEST_FILE, LONGEST_SCRIPT = 60, 300, 30


def modules(project: Path, package: str = "") -> Iterator[tuple[Path, ast.Module]]:
    for path in sorted((project / "qafm" / package).rglob("*.py")):
        yield path, ast.parse(path.read_text())


def imports(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def test_packages_import_one_way(project: Path) -> None:
    depth = {package: level for level, packages in enumerate(LAYERS) for package in packages} | {"errors": -1}  # a module that imports nothing
    reached: dict[str, set[str]] = {}
    assert {path.name for path in (project / "qafm").iterdir() if path.is_dir() and path.name != "__pycache__"} == set(depth) - {"errors"}
    for path, tree in modules(project):
        parts = path.relative_to(project / "qafm").parts
        if len(parts) == 1:
            continue
        for name in imports(tree):
            if name.startswith("qafm."):
                package = name.split(".")[1]
                assert depth[package] <= depth[parts[0]], f"{path.name} imports {name}"
                if package != parts[0]:
                    reached.setdefault(parts[0], set()).add(package)
    list(TopologicalSorter(reached).static_order())  # raises CycleError where two of one line import each other


def test_nothing_imports_snakemake_and_light_packages_no_torch(project: Path) -> None:
    for path, tree in modules(project):
        assert not any(name.split(".")[0] == "snakemake" for name in imports(tree)), path
    for package in TORCH_FREE:
        for path, tree in modules(project, package):
            assert not any(name.split(".")[0] in ("torch", "torchvision") for name in imports(tree)), path


def test_what_tabulates_draws_or_evaluates_in_a_companion_reaches_no_torch(project: Path) -> None:
    light = [path for path, _ in modules(project, "companions") if path.stem.startswith(("tabulate_", "plot_", "evaluate_"))]
    assert light
    for path in light:
        module = ".".join(path.relative_to(project).with_suffix("").parts)
        for name, tree in import_closure(module, project).items():
            assert not re.search(r"ImportFrom\(module='torch|alias\(name='torch", tree), f"{path.name} reaches torch by {name}"


def test_only_what_trains_reaches_torchvision(project: Path) -> None:
    """Importing it takes seconds; the optimizer imports what takes them anyway."""
    for path in sorted((project / "workflow" / "scripts").glob("*.py")):
        reached = {
            name for module in re.findall(r"^from (qafm\.[\w.]+) import", path.read_text(), flags=re.MULTILINE) for name in import_closure(module, project)
        }
        if "qafm.models.imagenet" in reached:
            assert re.search(r"_(pre)?train_", path.stem), path.name


def test_init_files_are_empty_but_the_package_own(project: Path) -> None:
    for path in (project / "qafm").rglob("__init__.py"):
        if path.parent != project / "qafm":  # that one offers `qafm.load`
            assert path.read_text() == "", path


def test_functions_and_files_stay_short(project: Path) -> None:
    for path, tree in modules(project):
        assert len(path.read_text().splitlines()) <= LONGEST_FILE, path
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef):
                assert node.end_lineno is not None
                assert node.end_lineno - node.lineno < LONGEST_FUNCTION, f"{path.name}: {node.name}"


def rules(project: Path) -> list[tuple[str, str, str]]:
    """(number of the rule file, rule, its text) of every rule."""
    found = []
    for path in sorted((project / "workflow" / "rules").glob("*.smk")):
        parts = re.split(r"^ *rule (\w+):\n", path.read_text(), flags=re.MULTILINE)
        found += [(path.name.split("_")[0], name, text) for name, text in zip(parts[1::2], parts[2::2], strict=True)]
    return found


def test_rule_script_and_function_have_one_name(project: Path) -> None:
    found = rules(project)
    scripts = {path.stem: path.read_text() for path in (project / "workflow" / "scripts").glob("*.py")}
    assert {f"{number}_{name}" for number, name, _ in found} == set(scripts)
    for number, name, text in found:
        script = scripts[f"{number}_{name}"]
        assert f'"../scripts/{number}_{name}.py"' in text
        assert re.search(rf"^from qafm\.[\w.]+ import .*\b{name}$", script, flags=re.MULTILINE), name
        assert len(script.splitlines()) <= LONGEST_SCRIPT, name
        module = re.search(rf"^from (qafm\.[\w.]+) import .*\b{name}$", script, flags=re.MULTILINE)
        assert module is not None
        assert f'"{number}_{name}", "{module[1]}"' in text or f'"{number}_{name}", "{module[1]}"' in " ".join(text.split()), f"{name}: code digest"


@pytest.mark.parametrize("name", ["environment.yml", "README.md", "CHANGELOG.md", "CITATION.cff", "LICENSE", "config/README.md"])
def test_expected_files_are_there(project: Path, name: str) -> None:
    assert (project / name).stat().st_size > 0
