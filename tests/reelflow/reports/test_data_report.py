"""The data report: what it says and shows, and that its bytes are made of its values alone."""

from __future__ import annotations

import base64
import io
import re
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from PIL import Image

from reelflow.base.errors import DataError
from reelflow.evaluation.shortcuts import EVERYTHING, measure
from reelflow.reports.data_report import (
    DataSet,
    headline,
    histograms,
    render,
    sample_clips,
    tables,
    warnings,
)
from tests.dataset import SPEC, grid, manifest_of
from tests.evaluations import quarantine, said
from tests.reelflow.reports.test_evaluation_report import Nesting, bare_tables


def data_set(videos: pd.DataFrame | None = None, **changes: Any) -> DataSet:
    """A data set of three classes, from thirty groups, in which nothing is amiss."""
    videos = manifest_of(grid(groups=30)) if videos is None else videos
    noise = np.random.default_rng(0)
    for name, low, high in (("brightness", 50, 200), ("change", 1, 9), ("duration", 1, 3)):
        if name not in videos or name == "duration":
            videos[name] = noise.uniform(low, high, len(videos))
    values = {
        "videos": videos,
        "quarantine": quarantine(),
        "near_duplicates": near_duplicates(),
        "broken": [],
        "warned": [],
        "shortcuts": None,
        "clip": SPEC.to_dict(),
        "params": {"min_brightness": 4.0},
    }
    return DataSet(**{**values, **changes})


def near_duplicates(*rows: tuple[str, str, float, float, bool]) -> pd.DataFrame:
    columns = ["path", "other", "likeness", "shift_s", "mirrored"]
    return pd.DataFrame(rows, columns=columns)


def frames(video: str) -> NDArray[np.uint8]:
    noise = np.random.default_rng(int(video[:8], 16))
    return noise.integers(256, size=(4, 16, 24, 3)).astype(np.uint8)


def noise_frames(video: str) -> NDArray[np.uint8]:
    noise = np.random.default_rng(int(video[:8], 16))
    return noise.integers(256, size=(16, 224, 224, 3)).astype(np.uint8)


def test_the_page_is_well_formed_and_needs_nothing_outside_itself() -> None:
    data = data_set()
    page = render(data_set(shortcuts=measure(data.videos)), frames)
    parser = Nesting()
    parser.feed(page)
    assert parser.opened == []
    for word in ("http", "//", "<script", "<link", "@import", "file:"):
        assert word not in re.sub(r"data:image/webp;base64,[\w+/=]+", "", page)
    sources = re.findall(r'(?:src|srcset|href)="([^"]{,12})', page)
    assert all(source.startswith(("data:image/w", "validate/in")) for source in sources)
    assert not re.search(r">\s*(nan|NaN|None)\s*<", page)


def test_a_table_that_a_phone_cannot_show_whole_scrolls() -> None:
    assert bare_tables(render(data_set(), frames)) == set()


def test_the_same_values_give_the_same_bytes() -> None:
    assert render(data_set(), frames) == render(data_set(), frames)


def test_a_small_set_of_one_class_and_no_groups_still_stands() -> None:
    videos = manifest_of([("<b>bend</b>/\u202ea.mp4", None)])
    page = render(data_set(videos.assign(brightness=np.nan, change=np.nan)), frames)
    assert "<b>bend" not in page.replace("<b><bdi>", "")
    assert "\u202e" not in page
    assert "cannot be measured" in page
    assert "No group is known" in page


@pytest.mark.parametrize("classes", [2, 30, 150, 400])
def test_the_page_of_ten_thousand_videos_of_pure_noise_is_bounded(classes: int) -> None:
    labels = [f"c{i:03}" for i in range(classes)]
    videos = manifest_of(grid(labels, groups=10_000 // classes, videos=1))
    clips = [noise_frames(f"{i:08x}") for i in range(3)]
    page = render(data_set(videos), lambda video: clips[int(video[:8], 16) % 3])
    assert len(page) < 8_000_000
    assert page.count("<img") <= 606


def test_clips_of_a_class_come_from_as_many_groups_as_there_are() -> None:
    data = data_set(manifest_of(grid(("bend", "wave"), groups=12, videos=5)))
    shown = sample_clips.by_class(data, frames)
    assert list(shown) == ["bend", "wave"]
    for tiles in shown.values():
        groups = {tile["path"].split("/")[1].split("_")[0] for tile in tiles}
        assert len(groups) == len(tiles) == 12


def test_a_clip_plays_and_stands_still_for_readers_who_want_that() -> None:
    page = render(data_set(), frames)
    drawn = re.findall(r'<img src="data:image/webp;base64,([\w+/=]+)"', page)
    picture = Image.open(io.BytesIO(base64.b64decode(drawn[0])))
    assert (picture.size, getattr(picture, "n_frames", 1)) == ((24, 16), 4)
    still = re.findall(r'print" srcset="data:image/webp;base64,([\w+/=]+)"', page)
    assert getattr(Image.open(io.BytesIO(base64.b64decode(still[0]))), "n_frames", 1) == 1


def test_clips_whose_frames_cannot_be_read_are_left_out() -> None:
    def unreadable(video: str) -> NDArray[np.uint8]:
        if int(video[:8], 16) % 2:
            raise DataError("No frames.")
        return frames(video)

    page = render(data_set(), unreadable)
    assert 0 < page.count("<img") < render(data_set(), frames).count("<img")


def test_the_clips_at_the_edges_are_the_least_and_the_most() -> None:
    data = data_set()
    found = {tile["words"]: tile["path"] for tile in sample_clips.edges(data, frames)}
    by = data.videos.set_index("path")
    assert found["darkest"] == by["brightness"].idxmin()
    assert found["liveliest"] == by["change"].idxmax()
    assert found["longest"] == by["duration"].idxmax()


def test_a_class_that_lies_apart_is_marked_but_not_for_its_motion() -> None:
    data = data_set()
    wave = data.videos["label"] == "wave"
    data.videos.loc[wave, ["brightness", "change"]] += 500.0
    found = histograms.table(data)
    columns = [column["name"] for column in found["columns"]]
    apart = {
        (row["label"], column)
        for row in found["rows"]
        for column, cell in zip(columns, row["cells"], strict=True)
        if cell["apart"]
    }
    assert apart == {(label, "brightness") for label in ("bend", "jump", "wave")}


def test_bars_are_shares_on_the_scale_of_the_column() -> None:
    data = data_set(manifest_of(grid(("bend", "wave"), groups=2, videos=1)))
    data.videos["fps"] = [10.0, 10.0, 10.0, 20.0]
    found = histograms.table(data)
    column = [column["name"] for column in found["columns"]].index("frames")
    everything, _, wave = (row["cells"][column] for row in found["rows"])
    assert everything["front"] == "M0 20V0.0h1V20zM23 20V13.3h1V20z"
    assert wave["front"] == "M0 20V6.7h1V20zM23 20V6.7h1V20z"
    assert wave["median"] == "15"
    data.videos["fps"] = [25.0, np.nextafter(25.0, 26.0), 25.0, 25.0]  # rates of one file format
    assert histograms.table(data)["rows"][0]["cells"][column]["front"] == "M12 20V0.0h1V20z"


def test_kinds_of_files_that_one_class_alone_has_are_named() -> None:
    data = data_set()
    data.videos.loc[data.videos["label"] == "jump", "codec"] = "vp9"
    only = [row for row in tables.kinds(data) if row["only"]]
    assert [(row["what"], row["value"], row["only"]) for row in only] == [
        ("codec", "vp9 in mov", "jump")
    ]
    assert said(warnings.warnings(data), "found in one class alone (codec vp9 in mov: “jump”)")


def relabelled(**columns: Any) -> pd.DataFrame:
    return manifest_of(grid(groups=30)).assign(**columns)


def lop_sided() -> pd.DataFrame:
    videos = manifest_of(grid(groups=30))
    wave = videos["label"] == "wave"
    return videos.assign(group=videos["group"].where(~wave | (videos.index % 5 == 0), "g0"))


@pytest.mark.parametrize(
    ("words", "changes"),
    [
        ("clips of “wave” come from one group", {"videos": pd.concat(
            [manifest_of(grid(("bend", "jump"), 30)), manifest_of(grid(("wave",), 1, 5))])}),
        ("clips of “wave” come from one group", {"videos": lop_sided()}),
        ("No video has a known group", {"videos": relabelled(group=None)}),
        ("would read 30 groups", {"videos": manifest_of(
            [(f"{label}/v_g{g:02}_c{c}.mp4", None) for label in "ab" for g in range(30)
             for c in range(2)])}),
        ("about 2: its intervals will be wide", {"videos": manifest_of(grid(groups=9))}),
        ("“wave” has fewer than 10 groups", {"videos": pd.concat(
            [manifest_of(grid(("bend", "jump"), 30)), manifest_of(grid(("wave",), 4))])}),
        ("“bend” has 60 videos and “wave” 6", {"videos": pd.concat(
            [manifest_of(grid(("bend", "jump"), 30)), manifest_of(grid(("wave",), 6, 1))])}),
        ("fewer than the 4 frames of a clip", {"videos": relabelled(frames=3)}),
        ("smaller than the 24 × 16 pixels", {"videos": relabelled(height=15)}),
        ("20 of 200 files could not be used", {"quarantine": quarantine(*[("a", "empty")] * 20)}),
        ("Too many labels.", {"warned": ["Too many labels."]}),
    ],
)  # fmt: skip
def test_a_warning_is_given_where_it_applies(words: str, changes: dict[str, Any]) -> None:
    if "videos" in changes:
        changes = {**changes, "videos": changes["videos"].reset_index(drop=True)}
    assert said(warnings.warnings(data_set(**changes)), words)


def test_classes_that_their_files_tell_are_warned_of_with_how_sure_that_is() -> None:
    data = data_set()
    data.videos.loc[data.videos["label"] == "wave", ["width", "bytes"]] = [640, 9000]
    found = measure(data.videos)
    assert found is not None and found.by[EVERYTHING].alarming
    warned = warnings.warnings(data_set(data.videos, shortcuts=found))
    assert said(warned, "File properties give the class away, “wave” most of all")
    page = render(data_set(data.videos, shortcuts=found), frames)
    assert "split into 5 folds by group" in page
    assert "it does not include how other folds" in page


def test_groups_are_not_spoken_of_where_none_is_known() -> None:
    videos = manifest_of(grid(groups=6, videos=1)).assign(group=None)
    videos.loc[videos["label"] == "wave", ["width", "bytes"]] = [640, 9000]
    videos.loc[:1, "alike"] = "a"
    data = data_set(videos, shortcuts=measure(data_set(videos).videos))
    warned = warnings.warnings(data)
    assert said(warned, "of the videos that it has not seen")
    assert said(warned, "only 17 videos (near-duplicates count as one), so that a test of a fifth")
    page = re.sub(r"<style>.*?</style>|\s+", " ", render(data, frames), flags=re.DOTALL)
    assert "neither it nor its near-duplicates predict each video. The score" in page
    assert "by group" not in page
    assert "2 videos look like another one." in page


def test_a_sound_set_gets_no_warning_and_a_calm_word() -> None:
    data = data_set()
    assert warnings.warnings(data) == []
    assert headline.headline(data) == "Fit to learn from, as far as these checks show"
    assert "found a reason for doubt" in render(data, frames)


def test_what_is_broken_comes_first() -> None:
    data = data_set(broken=["Clips show something: not so for 7."])
    assert headline.headline(data) == "Not fit to learn from yet: 1 expectation is broken"
    assert "Clips show something" in render(data, frames)


def test_what_was_set_aside_is_listed_with_its_remedy_and_duplicates_apart() -> None:
    aside = quarantine(("b.mp4", "damaged"), ("a.mp4", "duplicate"), ("c.mp4", "damaged"))
    page = render(data_set(quarantine=aside), frames)
    assert "2 files could not be used" in page
    assert "Copy it again." in page
    assert "1 file has the same bytes as another" in page
    assert page.index(">Duplicates<") < page.index("a.mp4") < page.index("b.mp4")


def test_groups_are_shown_the_largest_first() -> None:
    data = data_set(
        manifest_of([*grid(("bend", "wave"), 3), ("bend/x.mp4", "g1"), ("wave/y", None)])
    )
    found = tables.groups(data)
    assert (found["count"], found["alone"], found["mixed"]) == (3, 1, 3)
    assert [(row["group"], row["videos"]) for row in found["rows"]] == [
        ("g1", 5), ("g0", 4), ("g2", 4)
    ]  # fmt: skip
    assert found["rows"][0]["labels"] == ["bend", "wave"]


def test_near_duplicates_are_shown_side_by_side_those_of_two_classes_first() -> None:
    videos = manifest_of(grid(groups=12))
    same, other = videos["path"][0], videos["path"][1]
    wave = str(videos["path"][videos["label"] == "wave"].iloc[0])
    page = render(
        data_set(
            videos,
            near_duplicates=near_duplicates(
                (same, other, 0.95, 0.0, False), (same, wave, 0.97, 1.5, True)
            ),
        ),
        frames,
    )
    part = page[page.index('id="duplicates"') :]
    assert "2 pairs of videos" in part
    assert "begins 1.5 s later, mirrored" in part
    assert part.count("<img") == 4
    assert 0 < part.index("<td><code>") < part.index("0.97") < part.index("0.95")
    assert 'class="miss"' in part
    assert "No two videos were found to be near-duplicates." in render(data_set(videos), frames)
