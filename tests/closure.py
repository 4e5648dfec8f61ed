"""The import closure of a module inside this repository, by reading imports, wherever they stand.

`python -m tests.closure` prints, for each stage, the rooms and files that belong in its `deps`.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from reelflow.params import STAGES
from tests.conftest import ROOT

FLOORS = ("reelflow", "tasks")
# These only switch usage reports off: no result depends on them.
HARMLESS = {"reelflow/__init__.py", "tasks/__init__.py"}
# These packages import their modules by name; whoever needs one of them depends on the folder,
# except for the params, of which a stage reads its own section alone
# (tests/reelflow/params/test_params).
BY_NAME = ("reelflow/networks",)


def closure(module: str) -> set[str]:
    """Paths, relative to the repository, of every file that `module` imports, itself included."""
    found: set[str] = set()
    todo = [module]
    while todo:
        path = _file_of(todo.pop())
        if path is None or str(path) in found:
            continue
        found.add(str(path))
        todo += _imports(path)
        # Importing a module runs the `__init__` of every package above it.
        todo += [".".join(path.parts[:depth]) for depth in range(1, len(path.parts))]
    return found


def missing_from(deps: list[str], module: str) -> list[str]:
    """Files of the closure of `module` that `deps` (files and folders) do not cover, sorted."""
    return sorted(path for path in _asked_for(module) if not _covered(path, deps))


def _asked_for(module: str) -> set[str]:
    files = closure(module) - HARMLESS
    for folder in BY_NAME:
        if any(path.startswith(f"{folder}/") for path in files):
            files |= {p.relative_to(ROOT).as_posix() for p in (ROOT / folder).rglob("*.py")}
    # What a package ships beside its code (templates) is read by it.
    code = {path: (ROOT / path).read_text(encoding="utf-8") for path in files}
    for path in code:
        if path.endswith("/__init__.py"):
            package = (ROOT / path).parent
            beside = [p for p in package.iterdir() if p.is_file() and p.suffix not in (".py", "")]
            files |= {
                p.relative_to(ROOT).as_posix()
                for p in beside
                if any(p.name in text for text in code.values())
            }
    return files


def _covered(path: str, deps: list[str]) -> bool:
    return any(path == dep or path.startswith(f"{dep}/") for dep in deps)


def _file_of(module: str) -> Path | None:
    path = Path(*module.split("."))
    for candidate in (path.with_suffix(".py"), path / "__init__.py"):
        if (ROOT / candidate).is_file():
            return candidate
    return None


def _imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse((ROOT / path).read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert node.level == 0, f"{path}: imports here are absolute"
            # `from reelflow import telemetry` imports a module, `from … import Name` a name.
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        else:
            continue
        yield from (name for name in names if name.split(".")[0] in FLOORS)


def rooms(module: str) -> list[str]:
    """What belongs in the `deps` of a stage: folders, of the params single files."""
    return sorted(
        path
        if path.startswith("reelflow/params/") or path.count("/") == 1
        else "/".join(path.split("/")[:2])
        for path in _asked_for(module)
    )


def main() -> None:
    for stage in STAGES:
        print(f"{stage}: {', '.join(dict.fromkeys(rooms(f'tasks.{stage}')))}")


if __name__ == "__main__":
    main()
