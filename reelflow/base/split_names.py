"""The names of the three splits, and other words for them."""

from __future__ import annotations

SPLITS = ("train", "validation", "test")
# In lower case, as tables of videos have them.
SYNONYMS = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("val", "valid", "validate", "validation", "dev"), "validation"),
    **dict.fromkeys(("test", "testing"), "test"),
}
