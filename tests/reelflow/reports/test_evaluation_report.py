"""The report: what it shows and never shows, and that its bytes are made of its values alone."""

from __future__ import annotations

import itertools
import re
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import numpy as np
import pytest

from reelflow.base.words import count, percent, quoted, visible
from reelflow.reports import plots
from reelflow.reports.evaluation_report import examples, render, tables
from reelflow.reports.page.images_and_clips import GAP, strip
from reelflow.store.clip_spec import Clip
from tests.evaluations import MIXED, clip, evaluation, history

VOID = {"meta", "img", "br", "path", "use", "source"}


class Nesting(HTMLParser):
    """Checks that each tag is closed where it must be; at the end `opened` is empty."""

    def __init__(self) -> None:
        super().__init__()
        self.opened: list[str] = []

    def handle_starttag(self, tag: str, _attrs: Any) -> None:
        if tag not in VOID:
            self.opened.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.opened.pop() == tag


def test_the_page_is_complete_and_well_formed() -> None:
    parser = Nesting()
    parser.feed(render(evaluation(*MIXED), clip))
    assert parser.opened == []


class Tables(Nesting):
    """Counts the tables that stand in nothing that scrolls."""

    def __init__(self) -> None:
        super().__init__()
        self.scrolling: list[bool] = []
        self.bare: list[str] = []

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        classes = dict(attrs).get("class") or ""
        if tag == "div":
            self.scrolling.append("scroll" in classes.split())
        if tag == "table" and not any(self.scrolling):
            self.bare.append(classes)

    def handle_endtag(self, tag: str) -> None:
        if tag == "div":
            self.scrolling.pop()


def bare_tables(page: str) -> set[str]:
    parser = Tables()
    parser.feed(page)
    return set(parser.bare)


def test_a_table_that_a_phone_cannot_show_whole_scrolls_and_says_so() -> None:
    targets = [i for i in range(6) for _ in range(4)]
    page = render(evaluation(targets, targets, labels=tuple("abcdef")), clip)
    # The first one folds instead, since its intervals must not be overlooked.
    assert bare_tables(page) == {"figures"}
    assert page.count('class="scroll sideways"') == 2
    assert "swipe" in page


def test_the_cells_of_few_classes_are_large_and_curves_of_the_training_are_drawn_apart() -> None:
    page = render(evaluation(*MIXED), clip)
    assert '<table class="confusion" style="--classes:2">' in page
    assert page.count('<figure class="plot">') == 4


def test_the_page_needs_nothing_outside_itself_and_no_script() -> None:
    page = render(evaluation(*MIXED), clip)
    for word in ("http", "//", "<script", "<link", "@import", "file:"):
        assert word not in re.sub(r"data:image/webp;base64,[\w+/=]+", "", page)
    sources = re.findall(r'(?:src|href)="([^"]{,12})', page)
    assert sources
    assert all(source.startswith(("data:image/w", "#", "data.html")) for source in sources)


def test_the_same_values_give_the_same_bytes() -> None:
    assert render(evaluation(*MIXED), clip) == render(evaluation(*MIXED), clip)


def test_ids_are_unique_and_every_reference_inside_the_page_is_kept() -> None:
    page = render(evaluation(*MIXED), clip)
    ids = re.findall(r'\bid="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    assert set(re.findall(r'(?:url\(|href=")#([^")]+)', page)) <= set(ids)


def test_hostile_names_are_escaped_and_made_visible() -> None:
    labels = ("<script>alert(1)</script>", '"&$x$_')
    shown = evaluation(*MIXED, labels=labels)
    paths = itertools.cycle(["a/<img src=x onerror=y>.mp4", "b/\u202egpj.mp4"])
    named = shown.predictions.assign(path=list(itertools.islice(paths, 24)))
    page = render(replace(shown, predictions=named), clip)
    assert "<script" not in page
    assert "<img src=x" not in page
    assert "&lt;script&gt;alert(1)" in page
    assert "\u202e" not in page
    assert r"b/\u202egpj.mp4" in page


def test_text_keeps_its_letters_and_shows_what_cannot_be_seen() -> None:
    assert visible("größe 大.mp4") == "größe 大.mp4"
    assert visible("a\x00b\u2066c") == r"a\x00b\u2066c"


def test_a_large_report_stays_small() -> None:
    random = np.random.default_rng(0)
    targets = random.integers(60, size=3000)
    predicted = np.where(random.random(3000) < 0.5, targets, random.integers(60, size=3000))
    labels = tuple(f"class {i}" for i in range(60))
    noise = random.integers(256, size=(64, 224, 224, 3)).astype(np.uint8)
    big = evaluation(predicted.tolist(), targets.tolist(), labels=labels, examples=50)
    page = render(big, lambda _: Clip(noise, np.arange(64.0)))
    assert page.count("<img") == 100
    assert len(page) < 2_000_000


def test_a_page_with_nothing_to_show_still_stands() -> None:
    page = render(evaluation([0], [0], groups=[None], history=history([1.0])), clip)
    assert "No group is known" in page or "known group" in page
    assert not re.search(r"\b(nan|NaN|None)\b", page)


def test_worst_examples_are_the_most_confident_mistakes() -> None:
    shown = evaluation([1, 0, 1, 0], [0, 0, 0, 1])
    assert examples.wrong(shown)["path"].tolist() == [
        "left/clip_00.mp4",
        "left/clip_02.mp4",
        "right/clip_03.mp4",
    ]


def test_best_examples_take_turns_between_classes() -> None:
    shown = evaluation([0, 0, 0, 1], [0, 0, 0, 1])
    assert examples.right(shown)["label"].tolist() == ["left", "right", "left"]


def test_no_examples_are_read_where_none_are_wanted() -> None:
    def unread(_: str) -> Clip:
        raise AssertionError

    assert "<img" not in render(evaluation(*MIXED, examples=0), unread)


def test_a_strip_shows_the_frames_themselves() -> None:
    import base64
    import io

    from PIL import Image

    frames = np.stack([np.full((48, 64, 3), shade, np.uint8) for shade in (40, 120, 200)])
    address = strip(frames, tile=32)
    sheet = Image.open(io.BytesIO(base64.b64decode(address.partition(",")[2])))
    assert sheet.size == (3 * 32 + 2 * GAP, 24)
    shades = [sheet.getpixel((x, 12)) for x in (16, 16 + 35, 16 + 70)]
    assert [shade[0] for shade in shades] == pytest.approx([40, 120, 200], abs=3)
    assert sheet.getpixel((33, 12))[3] == 0


def test_the_confusion_matrix_is_left_out_beyond_sixteen_classes() -> None:
    labels = tuple(f"c{i:02}" for i in range(17))
    shown = evaluation(list(range(17)), list(range(17)), labels=labels)
    assert "too many for a matrix" in render(shown, clip)
    assert "too many for a matrix" not in render(evaluation(*MIXED), clip)


def test_mistakes_are_listed_by_how_often_they_happen() -> None:
    shown = evaluation([1, 0, 0, 0], [0, 1, 1, 0])
    assert tables.mistakes(shown) == [
        {"label": "right", "predicted": "left", "count": 2},
        {"label": "left", "predicted": "right", "count": 1},
    ]


def test_videos_are_counted_by_class_split_and_group() -> None:
    shown = evaluation([0, 1, 1], [0, 1, 1], groups=["x", "x", None])
    assert tables.splits(shown).loc["right"].to_dict() == {
        "train": 1,
        "validation": 1,
        "test": 2,
        "all": 4,
    }
    assert tables.groups(shown) == {"train": 2, "validation": 1, "test": 1, "all": 4}


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (0.0, "0%"), (1e-5, "<0.1%"), (0.004, "0.4%"), (0.125, "12%"), (0.98, "98%"),
        (0.997, "99.7%"), (0.99999, ">99.9%"), (1.0, "100%"), (None, "–"),
    ],
)  # fmt: skip
def test_only_all_is_called_100_percent(share: float | None, text: str) -> None:
    assert percent(share) == text


def test_counts_and_lists_read_as_english() -> None:
    assert count(1, "video") == "1 video"
    assert count(1200, "class", "classes") == "1,200 classes"
    assert quoted("ab") == "“a” and “b”"
    assert quoted("abcdefg", most=3) == "“a”, “b” and 5 others"


def test_the_weakest_lines_stand_out_where_there_are_many() -> None:
    few = plots.colours({"a": 0.9, "b": 0.8})
    assert len(set(few.values())) == 2
    many = plots.colours({f"c{i}": i / 10 for i in range(10)})
    own = [label for label, colour in many.items() if colour != plots.MUTED]
    assert own == ["c0", "c1", "c2"]


def test_a_plot_takes_its_colours_from_the_page_and_carries_no_date() -> None:
    drawing = plots.training(history([2.0, 1.0, 1.5]), "loss", kept=2)
    assert drawing.startswith("<svg viewBox=")
    assert "var(--series-1, #0072b2)" in drawing
    assert not re.search(r"20\d\d-\d\d|matplotlib v|<metadata|<style", drawing)
