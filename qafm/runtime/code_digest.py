"""The digest of the code a stage depends on: what decides whether a result is stale.

It covers the module that holds the stage's function and everything of the package that this module imports,
directly or not. Docstrings, comments, formatting and the descriptions of settings do not count, nor do a module's
`__getattr__` and `__dir__`: behind them lies what users of the package load on demand, and no stage does.
"""

import ast
import hashlib
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

PACKAGE_ROOT = Path(__file__).resolve().parents[2]


class _Stripped(ast.NodeTransformer):
    """Removes docstrings, the `description=` of pydantic fields, and a module's `__getattr__` and `__dir__`."""

    def _strip_docstring(self, node: ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) -> ast.AST:
        self.generic_visit(node)
        if ast.get_docstring(node, clean=False) is not None:
            node.body = node.body[1:]
        return node

    visit_ClassDef = visit_FunctionDef = visit_AsyncFunctionDef = _strip_docstring

    def visit_Module(self, node: ast.Module) -> ast.AST:
        node.body = [part for part in node.body if not (isinstance(part, ast.FunctionDef) and part.name in ("__getattr__", "__dir__"))]
        return self._strip_docstring(node)

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        if isinstance(node.func, ast.Name) and node.func.id == "Field":
            node.keywords = [keyword for keyword in node.keywords if keyword.arg != "description"]
        return node


def _module_file(module: str, root: Path) -> Path | None:
    """The file of a dotted module name below `root`, or None if there is none."""
    base = root.joinpath(*module.split("."))
    for candidate in (base.with_suffix(".py"), base / "__init__.py"):
        if candidate.is_file():
            return candidate
    return None


def _imported(tree: ast.Module, package: str) -> Iterator[str]:
    """Dotted names that `tree` imports from `package`; a name that is no module is dropped by the caller."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        else:
            continue
        yield from (name for name in names if name.split(".")[0] == package)


def _with_parents(names: Iterable[str]) -> Iterator[str]:
    """Each dotted name and the packages above it, whose __init__.py runs too."""
    for name in names:
        parts = name.split(".")
        yield from (".".join(parts[: depth + 1]) for depth in range(len(parts)))


def import_closure(module: str, root: Path = PACKAGE_ROOT) -> dict[str, str]:
    """All modules of the package that `module` needs, itself included.

    Args:
        module: dotted name, for example "qafm.training.train_fusion".
        root: the folder that holds the package's folder.

    Returns:
        Dotted name -> the module's syntax tree as text, sorted by name.

    Raises:
        ModuleNotFoundError: `module` has no file below `root`.
    """
    package = module.split(".")[0]
    if _module_file(module, root) is None:
        raise ModuleNotFoundError(f"{module} is not below {root}")
    found: dict[str, str] = {}
    waiting = list(_with_parents([module]))
    while waiting:
        name = waiting.pop()
        path = _module_file(name, root)
        if name in found or path is None:
            continue
        found[name], imported = _module(path.read_text(encoding="utf-8"), package)
        waiting.extend(_with_parents(imported))
    return dict(sorted(found.items()))


@cache  # nearly every rule's closure holds most of the package
def _module(source: str, package: str) -> tuple[str, tuple[str, ...]]:
    """A module's syntax tree as text, and what it imports from `package`."""
    tree = ast.parse(source)
    imported = tuple(_imported(tree, package))
    return ast.dump(_Stripped().visit(tree)), imported


@cache
def code_digest(module: str, root: Path = PACKAGE_ROOT) -> str:
    """Hex digest (16 digits) of the code that `module` depends on."""
    text = "\n".join(f"{name} {tree}" for name, tree in import_closure(module, root).items())
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def script_digest(script: Path, module: str, root: Path = PACKAGE_ROOT) -> str:
    """Hex digest (16 digits) of a workflow script and of the code behind `module`, which holds its function."""
    tree = ast.dump(_Stripped().visit(ast.parse(script.read_text(encoding="utf-8"))))
    return hashlib.sha256(f"{tree} {code_digest(module, root)}".encode()).hexdigest()[:16]


def files_digest(paths: Iterable[Path]) -> str:
    """Hex digest (16 digits) of the names and contents of files, in the order of their names: templates and the like, which no import leads to."""
    found = hashlib.sha256()
    for path in sorted(paths, key=lambda path: path.name):
        found.update(f"{path.name} {hashlib.sha256(path.read_bytes()).hexdigest()} ".encode())
    return found.hexdigest()[:16]
