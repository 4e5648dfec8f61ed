"""A page for people: one HTML file that stands alone, made of sections.

A section is a template of a report's folder, filled with what it shows. The page carries its
style and pictures along (no address outside it, no script), follows the reader's light or dark
setting, and prints. The same values give the same bytes: no clock, no machine. Beside it:
`pictures`, frames as images; `style.css` and `parts.html.jinja`, what several pages look like.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reelflow.base.words import count, interval, length, percent, quoted, visible
from reelflow.evaluation.verdict import in_words

if TYPE_CHECKING:
    from jinja2 import Environment

HERE = Path(__file__).parent


def render(folder: Path, title: str, sections: Mapping[str, Any], **shared: Any) -> str:
    """A page as HTML, with the `style.css` of `folder`.

    Args:
        folder: of the report, which has the templates.
        title: of the page.
        sections: what each section shows, values by name, by the name of its template, in the order
            of reading; None: it is left out. Values are escaped.
        shared: what all sections may show.
    """
    style = "\n".join((at / "style.css").read_text(encoding="utf-8") for at in (HERE, folder))
    filled = [
        _filled(folder / f"{name}.html.jinja", **shared, **shown)
        for name, shown in sections.items()
        if shown is not None
    ]
    return _filled(HERE / "page.html.jinja", title=title, style=style, sections=filled)


def _filled(template: Path, **values: Any) -> str:
    return _environment().from_string(template.read_text(encoding="utf-8")).render(values)


@cache
def _environment() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    # Names of files and classes are anybody's text: all is escaped but our style and drawings,
    # which hold none of it.
    environment = Environment(
        loader=FileSystemLoader(HERE),
        autoescape=True,
        finalize=visible,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters.update(percent=percent, in_words=in_words, duration=length)
    environment.globals.update(count=count, interval=interval, quoted=quoted)
    return environment
