"""Nested values as flat ones."""

from __future__ import annotations

from reelflow.base.nested import flatten


def test_nested_values_become_one_level() -> None:
    assert flatten({"a": {"b": {"c": 1}}, "d": [2]}) == {"a.b.c": 1, "d": [2]}
