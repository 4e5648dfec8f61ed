"""The names of the three splits."""

from __future__ import annotations

SPLITS = ("train", "validation", "test")
