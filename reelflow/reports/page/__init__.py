"""A page for people: one HTML file that stands alone, made of sections.

`fragment` fills the template of a section; `render` puts sections into a page. The page carries its
style and pictures along (no address outside it, no script), follows the reader's light or dark
setting, and prints. The same values give the same bytes: no clock, no machine. Beside it:
`pictures`, frames as images; `style.css` and `parts.html.jinja`, what several pages look like.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reelflow.base.words import count, interval, percent, quoted, visible

if TYPE_CHECKING:
    from jinja2 import Environment

HERE = Path(__file__).parent


def render(folder: Path, title: str, sections: Iterable[str | None]) -> str:
    """A page of sections from `fragment`, None left out, with the `style.css` of `folder`."""
    style = "\n".join((at / "style.css").read_text(encoding="utf-8") for at in (HERE, folder))
    shown = [section for section in sections if section is not None]
    return fragment(HERE / "page.html.jinja", title=title, style=style, sections=shown)


def fragment(template: Path, **values: Any) -> str:
    """A template filled with values, which are escaped, as HTML."""
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
    environment.filters.update(percent=percent)
    environment.globals.update(count=count, interval=interval, quoted=quoted)
    return environment
