"""The library names no command and no path of the project: whoever calls it may have others."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import ROOT

OF_THE_PROJECT = re.compile(
    r"`(reelflow|make|dvc|git|prefect|python) |\bparams\.yaml|\bdvc\.(yaml|lock)|\.reelflow\b|"
    r"\b(data|reports|metrics|plots|models)/[a-z]"
)


def texts(source: str) -> Iterator[str]:
    """All strings of a module but its docstrings."""
    tree = ast.parse(source)
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, documented) and node.body and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        value = getattr(node, "value", None)
        if isinstance(node, ast.Constant) and isinstance(value, str) and id(node) not in docstrings:
            yield value


@pytest.mark.parametrize(
    "text", ["Run `make run`.", "See data/raw.", "in params.yaml", "`dvc pull` it"]
)
def test_what_is_of_the_project_is_seen(text: str) -> None:
    assert OF_THE_PROJECT.search(text)


def test_the_library_names_no_command_and_no_path_of_the_project() -> None:
    named = [
        f"{path.relative_to(ROOT)}: {text!r}"
        for path in sorted(Path(ROOT, "reelflow").rglob("*.py"))
        for text in texts(path.read_text(encoding="utf-8"))
        if OF_THE_PROJECT.search(text)
    ]
    assert named == []
