"""The report: what it says, what it never says, and that its bytes are made of its values alone."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import numpy as np
import pandas as pd
import pytest

from reelflow import curves, metrics, plots
from reelflow.page.files import formats
from reelflow.page.pictures import GAP, strip
from reelflow.page.words import count, percent, quoted, visible
from reelflow.report import Evaluation, examples, render, tables, verdict
from reelflow.video.clip import Clip

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


def evaluation(
    predicted: list[int],
    targets: list[int],
    *,
    groups: list[str | None] | None = None,
    labels: tuple[str, ...] = ("left", "right"),
    sure: float = 0.8,
    **changes: Any,
) -> Evaluation:
    """An evaluation in which answers are given with equal confidence, falling slowly by row."""
    videos, classes = len(targets), len(labels)
    groups = groups if groups is not None else [f"g{i}" for i in range(videos)]
    scores = np.full((videos, classes), (1 - sure) / (classes - 1))
    scores[np.arange(videos), predicted] = sure
    if videos:
        scores[np.arange(videos), predicted] -= np.arange(videos) / videos / 100
    test = pd.DataFrame(
        {
            "hash": [f"{i:064x}" for i in range(videos)],
            "path": [f"{labels[t]}/clip_{i:02}.mp4" for i, t in enumerate(targets)],
            "label": [labels[t] for t in targets],
            "group": pd.Series(groups, dtype=object),
        }
    )
    predictions = test.assign(
        predicted=[labels[p] for p in predicted],
        confidence=scores.max(axis=1),
        **{f"p_{label}": scores[:, i] for i, label in enumerate(labels)},
    )
    drawn = curves.curves(np.array(targets), scores, groups, labels, metrics.Bootstrap(50))
    figures = metrics.evaluate(np.array(targets), scores, groups, labels, majority=0)
    learned = pd.DataFrame(
        {"hash": ["t", "u"], "label": [labels[0], labels[-1]], "group": ["s1", "s2"]}
    )
    values = {
        "labels": list(labels),
        "scores": curves.with_areas(figures, drawn),
        "predictions": predictions,
        "roc": drawn.roc,
        "pr": drawn.pr,
        "baseline": labels[0],
        "confidence": 0.95,
        "history": history([0.9, 0.5, 0.6]),
        "kept": 2,
        "splits": {"train": learned, "validation": learned.assign(group="v"), "test": test},
        "manifest": manifest(20),
        "quarantine": pd.DataFrame(columns=["path", "code", "reason", "remedy"], dtype=str),
        "params": {"train": {"epochs": 3}, "evaluate": {"bootstrap": 1000}},
        "provenance": {"model hash": "ab" * 32, "Python": "3.11.2"},
        "examples": 3,
    }
    return Evaluation(**{**values, **changes})


def history(val_loss: list[float], accuracy: float = 0.8, val_accuracy: float = 0.8) -> Any:
    return pd.DataFrame(
        {
            "epoch": range(1, len(val_loss) + 1),
            "loss": val_loss,
            "accuracy": accuracy,
            "val_loss": val_loss,
            "val_accuracy": val_accuracy,
        }
    )


def manifest(videos: int) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "container": "mov,mp4,m4a,3gp,3g2,mj2",
            "codec": "h264",
            "width": 320,
            "height": 240,
            "fps": 25.0,
            "frames": 50,
            "intact": 50,
            "duration": [2.0] * videos,
        }
    )


def quarantine(*rows: tuple[str, str]) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {"path": path, "code": code, "reason": f"It is {code}.", "remedy": "Copy it again."}
            for path, code in rows
        ],
        columns=["path", "code", "reason", "remedy"],
    )


def clip(video: str) -> Clip:
    frames = np.random.default_rng(int(video, 16)).integers(256, size=(12, 32, 40, 3))
    return Clip(frames.astype(np.uint8), np.arange(12) / 4)


MIXED = ([0, 0, 1, 1, 0, 1] * 4, [0, 0, 1, 1, 1, 1] * 4)


def said(sentences: list[str], words: str) -> bool:
    return any(words in sentence for sentence in sentences)


def test_the_page_is_complete_and_well_formed() -> None:
    parser = Nesting()
    parser.feed(render(evaluation(*MIXED), clip))
    assert parser.opened == []


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
    bad = quarantine(("a/<img src=x onerror=y>.mp4", "broken"), ("b/\u202egpj.mp4", "broken"))
    page = render(evaluation(*MIXED, labels=labels, quarantine=bad), clip)
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
    page = render(evaluation([0], [0], groups=[None], history=history([1.0]), kept=1), clip)
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


def test_a_good_model_is_said_to_be_right_with_its_interval_and_baseline() -> None:
    good = evaluation([0, 1] * 19 + [1, 1], [0, 1] * 20)
    assert verdict.headline(good) == "Right for 98% of the videos that it had never seen"
    text = " ".join(verdict.summary(good))
    assert "On 40 test videos from 40 groups" in text
    assert "for 39: an accuracy of 98% (95% interval 92–100%)" in text
    assert "would be right for 50%" in text
    assert "weakest class is “left”: it finds 19 of 20" in text


def test_a_model_like_chance_is_not_shown_to_beat_the_baseline() -> None:
    chance = evaluation([0, 1] * 10, [0, 0, 1, 1] * 5)
    assert verdict.headline(chance) == "Not shown to beat always answering “left”"
    assert said(verdict.warnings(chance), "includes the baseline (50%)")


def test_a_model_below_the_baseline_is_said_to_be() -> None:
    worse = evaluation([1] * 36 + [0] * 4, [0] * 40)
    assert verdict.headline(worse) == "Worse than always answering “left”"


def test_one_group_cannot_tell() -> None:
    single = evaluation(*MIXED, groups=["only"] * 24)
    assert verdict.headline(single).startswith("One group")
    assert said(verdict.warnings(single), "All test videos are of one group")
    assert "interval" not in " ".join(verdict.summary(single))


@pytest.mark.parametrize(
    ("words", "changes"),
    [
        ("No video has a known group", {"groups": [None] * 24, "unknown": True}),
        ("24 of 28 videos have no known group", {"groups": [None] * 24}),
        ("has only 3 groups", {"groups": ["x", "y", "z"] * 8}),
        ("2 groups of the test also stand in training", {"groups": ["s1", "s2"] * 12}),
        ("the last epoch was the best", {"history": history([3.0, 2.0]), "kept": 2}),
        ("the first epoch was the best", {"history": history([2.0, 3.0]), "kept": 1}),
        ("learned its training videos by heart", {"history": history([1.0], 0.99, 0.6), "kept": 1}),
        ("well below that on validation (100%)", {"history": history([1.0], 1.0, 1.0), "kept": 1}),
        ("5 of 25 files could not be used", {"quarantine": quarantine(*[("a", "empty")] * 5)}),
        (
            "2 videos of 20 are damaged and used as far as they are whole: the last whole frame "
            "stands for up to 10% of a video",
            {"manifest": manifest(20).assign(intact=[45, 48] + [50] * 18)},
        ),
    ],
)
def test_a_warning_is_given_where_it_applies(words: str, changes: dict[str, Any]) -> None:
    unknown = changes.pop("unknown", False)
    targets = [0, 1] * 12
    shown = evaluation([0, 1] * 6 + [0, 0, 1, 1, 0, 1] * 2, targets, **changes)
    if unknown:
        splits = {name: split.assign(group=None) for name, split in shown.splits.items()}
        shown = replace(shown, splits=splits)
    assert said(
        [w[0].lower() + w[1:] for w in verdict.warnings(shown)], words[0].lower() + words[1:]
    )


def test_a_last_epoch_that_is_the_best_by_little_is_no_warning() -> None:
    settled = [3.0, 2.0, 1.0, 0.9, 0.85, 0.84]
    shown = evaluation([0, 1] * 12, [0, 1] * 12, history=history(settled), kept=6)
    assert not said(verdict.warnings(shown), "The last epoch was the best")


def test_untested_and_thinly_tested_classes_are_named() -> None:
    shown = evaluation([0, 1] * 6, [0] * 11 + [1], labels=("left", "right", "up"))
    sentences = verdict.warnings(shown)
    assert said(sentences, "Nothing is known about “up”")
    assert said(sentences, "figures of “right” rest on fewer than 5")


def test_one_answer_to_everything_is_said() -> None:
    assert said(verdict.warnings(evaluation([0] * 8, [0, 1] * 4)), "Every test video was called")


def test_accuracy_carried_by_common_classes_is_said() -> None:
    shown = evaluation([0] * 20, [0] * 18 + [1, 1])
    assert said(verdict.warnings(shown), "carried by the common classes")


def test_no_mistake_is_not_called_certainty() -> None:
    perfect = evaluation([0, 1] * 15, [0, 1] * 15)
    assert said(verdict.warnings(perfect), "fails on 10% of all groups")


def test_a_fine_model_gets_no_warning_and_a_calm_word() -> None:
    fine = evaluation([0, 1] * 29 + [1, 0], [0, 1] * 30)
    assert verdict.warnings(fine) == []
    assert "found a reason for doubt" in render(fine, clip)


def test_duplicates_are_counted_but_not_as_bad() -> None:
    aside = quarantine(("a.mp4", "duplicate"), ("b.mp4", "truncated"))
    page = render(evaluation(*MIXED, quarantine=aside), clip)
    assert "1 file could not be used" in page
    assert "1 file had the same bytes" in page
    assert "b.mp4" in page
    assert "a.mp4" not in page


def test_the_confusion_matrix_is_left_out_beyond_sixteen_classes() -> None:
    labels = tuple(f"c{i:02}" for i in range(17))
    shown = evaluation(list(range(17)), list(range(17)), labels=labels)
    assert tables.confusion(shown) == []
    assert "too many for a matrix" in render(shown, clip)
    assert len(tables.confusion(evaluation(*MIXED))) == 2


def test_mistakes_are_listed_by_how_often_they_happen() -> None:
    shown = evaluation([1, 0, 0, 0], [0, 1, 1, 0])
    assert tables.mistakes(shown) == [
        {"label": "right", "predicted": "left", "count": 2, "support": 2},
        {"label": "left", "predicted": "right", "count": 1, "support": 2},
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


def test_kinds_of_files_beyond_the_commonest_are_one_row() -> None:
    kinds = manifest(30).assign(width=list(range(20)) + [320] * 10)
    rows = formats(kinds)
    assert rows[0] == {"kind": "h264 in mp4", "size": "320 × 240", "fps": "25", "videos": 10}
    assert rows[-1]["kind"] == "13 others"
    assert sum(row["videos"] for row in rows) == 30


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
    drawing = plots.training(history([2.0, 1.0, 1.5]), kept=2)
    assert drawing.startswith("<svg viewBox=")
    assert "var(--series-1, #0072b2)" in drawing
    assert not re.search(r"20\d\d-\d\d|matplotlib v|<metadata|<style", drawing)
