"""A page for people: one HTML file that stands alone, and the pieces that such pages share.

`render` fills a template. The page carries its style and pictures along (no address outside it,
no script), follows the reader's light or dark setting, and prints. The same values give the same
bytes: no clock, no machine. Beside it: `words`, how numbers and names are worded; `pictures`,
frames as images; `style.css` and `parts.html.jinja`, what several pages look like.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from reelflow.base.words import count, interval, percent, quoted, visible

HERE = Path(__file__).parent


def render(folder: Path, **values: Any) -> str:
    """The page of `folder`: its `template.html.jinja` with its `style.css` and `values`.

    A template imports `parts.html.jinja` and writes `{{ style|safe }}` into its `<style>`.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    # Names of files and classes are anybody's text: all is escaped but our style and drawings,
    # which hold none of it.
    environment = Environment(
        loader=FileSystemLoader([folder, HERE]),
        autoescape=True,
        finalize=visible,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters.update(percent=percent)
    environment.globals.update(count=count, interval=interval, quoted=quoted)
    style = "\n".join((at / "style.css").read_text(encoding="utf-8") for at in (HERE, folder))
    return environment.get_template("template.html.jinja").render(style=style, **values)
