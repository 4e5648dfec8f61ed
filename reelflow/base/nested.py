"""Nested values as flat ones, e.g. sections of params as `train.epochs`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def flatten(values: Mapping[str, Any], above: str = "") -> dict[str, Any]:
    """Nested mappings as one: `{"a": {"b": 1}}` becomes `{"a.b": 1}`."""
    flat: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, Mapping):
            flat |= flatten(value, f"{above}{name}.")
        else:
            flat[f"{above}{name}"] = value
    return flat


def put(values: dict[str, Any], name: str, value: Any) -> None:
    """Set a value by its dotted name. Raises `TypeError` where a part is no mapping."""
    *above, last = name.split(".")
    section: Any = values
    for depth, key in enumerate(above, start=1):
        if section.get(key) is None:  # not there, or empty
            section[key] = {}
        section = section[key]
        if not isinstance(section, dict):
            part = ".".join(above[:depth])
            raise TypeError(f"`{part}` is a value and has no key `{[*above, last][depth]}`")
    section[last] = value
