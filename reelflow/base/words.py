"""How numbers and names are worded for people."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence
from typing import Any

from reelflow.base.errors import quoted as as_typed
from reelflow.base.terminal import printable


def percent(share: float | None) -> str:
    """A share for people: `94%`. Only all is called 100%, and only none 0%."""
    if share is None:
        return "–"
    if 0.9995 <= share < 1:
        return ">99.9%"
    if 0 < share < 0.0005:
        return "<0.1%"
    digits = 1 if 0.995 <= share < 1 or 0 < share < 0.005 else 0
    return f"{100 * share:.{digits}f}%"


def interval(scores: dict[str, Any], name: str) -> str:
    """An interval for people: `85–98%`, or a dash where there is none."""
    low, high = (scores.get(f"{name}{end}") for end in ("_low", "_high"))
    if low is None or high is None:
        return "–"
    return f"{percent(low).removesuffix('%')}–{percent(high)}"


def visible(text: Any) -> Any:
    """Text with its invisible characters written out, e.g. `\\u202e`; anything else unchanged.

    Control and format characters in a file name can reorder a line, or end it: `gpj.mp4` behind a
    right-to-left override reads as `4pm.jpg`.
    """
    return printable(text, lines=True) if type(text) is str else text


def count(number: int, noun: str, plural: str = "") -> str:
    """`1 video`, `2 videos`, `2,000 videos`."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def quoted(names: Iterable[str], most: int = 5) -> str:
    """`“a”, “b” and “c”`, or `“a”, “b” and 7 others`."""
    shown = [f"“{name}”" for name in names]
    if len(shown) > most:
        shown = [*shown[: most - 1], f"{len(shown) - most + 1} others"]
    return " and ".join([", ".join(shown[:-1]), shown[-1]] if len(shown) > 1 else shown)


def some(items: Sequence[str], most: int = 3) -> str:
    """The first few of a list as a person types them: `'a', 'b' and 7 more`."""
    shown = ", ".join(as_typed(item) for item in items[:most])
    return shown if len(items) <= most else f"{shown} and {len(items) - most} more"


def nearest(name: str, names: Iterable[str], prefix: str = "") -> str:
    """` Did you mean `x`?` where one of `names` is like `name`, upper or lower case; else empty."""
    folded = {known.casefold(): known for known in names}
    found = difflib.get_close_matches(name.casefold(), folded, 1, cutoff=0.5)
    return f" Did you mean `{prefix}{folded[found[0]]}`?" if found else ""


def container(names: Any) -> str:
    """One of the names that libav gives to a family of containers: mov,mp4,m4a,… is mp4."""
    family = str(names).split(",")
    return "mp4" if "mp4" in family else family[0]


def length(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.1f} s"
    if seconds < 7200:
        return f"{seconds / 60:.1f} min"
    return f"{seconds / 3600:.1f} h"


def as_markdown(text: str) -> str:
    """Text in which nothing is markup of Markdown or HTML: a label in it is anybody's."""
    return re.sub(r"[\\`*|\[\]<>]", r"\\\g<0>", printable(text))
