"""Pages fit a telephone: what may be wide stands in something that scrolls, or shrinks."""

from __future__ import annotations

import re

import pytest

from tests.conftest import ROOT

TEMPLATES = sorted((ROOT / "reelflow/reports").rglob("*.jinja"))
STYLES = "\n".join(path.read_text() for path in (ROOT / "reelflow/reports").rglob("*.css"))
# The table of a page's head has few columns, which wrap.
WRAPPING = "figures"


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_every_table_scrolls_for_itself(path: object) -> None:
    text = path.read_text()  # type: ignore[attr-defined]
    for found in re.finditer(r'<table class="([^" ]+)', text):
        before = text[: found.start()].rstrip().splitlines()[-1]
        assert found[1] == WRAPPING or re.search(r'<div class="scroll.*>$', before), found[0]


@pytest.mark.parametrize("what", [".example img", ".film", ".flip img", ".plot svg", ".map svg"])
def test_pictures_are_no_wider_than_the_page(what: str) -> None:
    rules = re.findall(re.escape(what) + r"(?:,[^{]*)? \{([^}]*)\}", STYLES)
    assert any("max-width: 100%" in rule or "width: 100%" in rule for rule in rules)
