"""Plots as functions of tables: a table in, an inline SVG out.

The SVG is made for a page: its text is text, its colours are CSS variables (with the colours
below as their defaults), so that a page decides how they look by day, by night and on paper, and
its names are its own, so that several fit on one page. No words are drawn but the axes': class
names can be of any script, and HTML sets them better. The same table gives the same bytes.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import pandas as pd

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe and Ito's palette (2008), which colour-blind readers can distinguish too. Its yellow and
# black are left out: they are hard to see on one of the two backgrounds.
SERIES = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00")
INK, MUTED, GRID = "#333332", "#8a8a87", "#e3e3df"
VARIABLES = {
    **{colour: f"--series-{i}" for i, colour in enumerate(SERIES, 1)},
    INK: "--ink",
    MUTED: "--muted",
    GRID: "--grid",
}
HIGHLIGHTED = 3
_THIN: Any = {"color": MUTED, "linewidth": 0.8, "linestyle": (0, (2, 3))}
_AXES = {"fpr": "false positive rate", "tpr": "true positive rate"}

_SETTINGS: Any = {
    "svg.hashsalt": "reelflow",
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.size": 10,
    "text.color": INK,
    "axes.edgecolor": MUTED,
    "axes.labelcolor": INK,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": GRID,
    "grid.linewidth": 0.8,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "xtick.major.size": 3,
    "ytick.major.size": 0,
    "lines.linewidth": 1.8,
    "lines.solid_capstyle": "round",
}


def colours(scores: Mapping[str, float]) -> dict[str, str]:
    """A colour for the line of each label.

    As many labels as the palette has: each its own. More: the `HIGHLIGHTED` lowest scores get
    one, for they are what a reader looks for, and all others share the muted one.
    """
    if len(scores) <= len(SERIES):
        return dict(zip(scores, SERIES, strict=False))
    lowest = sorted(scores, key=lambda label: scores[label])[:HIGHLIGHTED]
    return dict.fromkeys(scores, MUTED) | dict(zip(lowest, SERIES, strict=False))


def legend(colour: Mapping[str, str]) -> dict[str, Any]:
    """The CSS variable of each label that has a colour of its own, and how many `others` are."""
    own = {label: VARIABLES[one] for label, one in colour.items() if one != MUTED}
    return {"legend": own, "others": len(colour) - len(own)}


def training(history: pd.DataFrame, name: str, kept: int) -> str:
    """Loss or accuracy over the epochs, training against validation.

    Args:
        history: a row an epoch: epoch, and `name` and `val_<name>`.
        name: `loss` or `accuracy`.
        kept: the epoch whose weights became the model; marked.
    """
    from matplotlib.ticker import MaxNLocator

    def draw(axes: Axes) -> None:
        # A single epoch is a point, which a line alone would not show.
        marker = "o" if len(history) == 1 else ""
        axes.axvline(kept, **_THIN)
        axes.plot(history["epoch"], history[name], color=SERIES[0], marker=marker)
        axes.plot(history["epoch"], history[f"val_{name}"], color=SERIES[5], marker=marker)
        axes.set_xlabel("epoch")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.grid(visible=False, axis="x")
        if name == "accuracy":
            axes.set_ylim(0, 1.02)

    return _drawn(name, draw, height=2.8)


def curves(table: pd.DataFrame, colour: Mapping[str, str]) -> str:
    """ROC or precision-recall curves, a line a label.

    Args:
        table: of `reelflow.evaluation.curves`.
        colour: from `colours`.
    """
    _, x, y = table.columns
    is_roc = x == "fpr"

    def draw(axes: Axes) -> None:
        _square(axes, _AXES.get(x, x), _AXES.get(y, y), edge=0.015)
        ticks = (0, 0.25, 0.5, 0.75, 1)
        axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
        axes.set_yticks(ticks, [f"{tick:g}" for tick in ticks])
        if is_roc:
            axes.plot([0, 1], [0, 1], **_THIN)
        # Between two points of a precision-recall curve no line may be drawn: precision does not
        # change linearly there (Davis and Goadrich, ICML 2006).
        step = "default" if is_roc else "steps-pre"
        by_label = {str(label): rows for label, rows in table.groupby("label", sort=False)}
        # Muted lines first, so that they lie under the others.
        for label in sorted(by_label, key=lambda label: colour[label] != MUTED):
            width, alpha = (0.7, 0.6) if colour[label] == MUTED else (1.8, 1.0)
            style: Any = {"drawstyle": step, "linewidth": width, "alpha": alpha}
            axes.plot(by_label[label][x], by_label[label][y], color=colour[label], **style)

    return _drawn("roc" if is_roc else "pr", draw)


def reliability(table: pd.DataFrame) -> str:
    """Accuracy by confidence, without and with the temperature, and the diagonal of truth.

    Args:
        table: of `reelflow.evaluation.sureness`: temperature (`without`, `with`), confidence,
            accuracy, videos. A point's area grows with its videos.
    """

    def draw(axes: Axes) -> None:
        _square(axes, "confidence", "accuracy")
        axes.plot([0, 1], [0, 1], **_THIN)
        for name, colour in (("without", MUTED), ("with", SERIES[0])):
            rows = table[table["temperature"] == name]
            sizes = 8 + 150 * rows["videos"] / rows["videos"].sum()
            axes.plot(rows["confidence"], rows["accuracy"], color=colour, linewidth=0.9)
            axes.scatter(rows["confidence"], rows["accuracy"], s=sizes, color=colour, zorder=2)

    return _drawn("reliability", draw)


def coverage(table: pd.DataFrame) -> str:
    """The accuracy of the answers that the model is surest of, by the share that is answered.

    Args:
        table: of `reelflow.evaluation.abstention.curve`: coverage, accuracy.
    """

    def draw(axes: Axes) -> None:
        _square(axes, "share of the videos that is answered", "accuracy")
        axes.plot(table["coverage"], table["accuracy"], color=SERIES[0], drawstyle="steps-pre")

    return _drawn("coverage", draw)


def _square(axes: Axes, x: str, y: str, edge: float = 0.03) -> None:
    """Two shares, from 0 to 1."""
    ends = (-edge, 1 + edge)
    axes.set(xlim=ends, ylim=ends, box_aspect=1, xlabel=x, ylabel=y)


def _drawn(name: str, draw: Callable[[Axes], None], height: float = 3.9) -> str:
    import matplotlib as mpl
    from matplotlib.figure import Figure

    with mpl.rc_context(_SETTINGS):
        figure = Figure(figsize=(4.3, height), layout="constrained")
        draw(figure.subplots())
        return svg(figure, name)


def svg(figure: Figure, name: str) -> str:
    """The figure as an SVG element for the inside of a page.

    Args:
        figure: drawn with the colours of this module, so that they become CSS variables.
        name: prefix of every id in it, unique on the page.
    """
    import matplotlib as mpl

    buffer = io.StringIO()
    with mpl.rc_context(_SETTINGS):
        figure.savefig(
            buffer,
            format="svg",
            transparent=True,
            metadata={"Date": None, "Creator": None, "Format": None, "Type": None},
        )
    text = buffer.getvalue()
    text = text[text.index("<svg") :].strip()
    # In a page the element needs no namespaces, and its size is the page's affair.
    text = re.sub(r' xmlns(:\w+)?="[^"]*"', "", text)
    text = re.sub(r'^<svg[^>]*viewBox="([^"]*)"[^>]*>', r'<svg viewBox="\1" role="img">', text)
    text = re.sub(r"<metadata>.*?</metadata>|<style.*?</style>", "", text, flags=re.DOTALL)
    text = re.sub(r"font-family:[^;\"]*;?", "", text)
    text = re.sub(r'\bid="', f'id="{name}-', text)
    text = re.sub(r"url\(#", f"url(#{name}-", text)
    text = re.sub(r'xlink:href="#', f'href="#{name}-', text)
    # Presentation attributes take no variables, style declarations do; matplotlib writes those.
    for colour, variable in VARIABLES.items():
        text = text.replace(colour, f"var({variable}, {colour})")
    return text
