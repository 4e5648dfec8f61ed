"""The map of the clips: what each point is, and that it is as small as the page may be."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

import numpy as np
import pandas as pd

from reelflow.reports.evaluation_report import render
from reelflow.store.clip_spec import Clip
from tests.evaluations import MIXED, clip, evaluation

LEARNED = pd.DataFrame(
    {
        "hash": ["aa", "bb"],
        "path": ["left/<i>&.mp4", "right/" + "long" * 40 + "_end.mp4"],
        "label": ["left", "right"],
        "x": [0.0, 1.0],
        "y": [1.0, 5.0],
    }
)
LEFT_OUT = pd.DataFrame({"hash": ["bb"], "p_left": [0.9], "p_right": [0.1]})


def map_of(videos: int = 24, places: pd.DataFrame = LEARNED, clip_of=clip) -> ET.Element:  # type: ignore[no-untyped-def]
    made = evaluation(*MIXED)
    tested = made.predictions[["hash", "path", "label"]].assign(x=2.0, y=3.0)
    every = pd.concat([places, tested.head(videos)], ignore_index=True)
    page = render(evaluation(*MIXED, places=every, left_out=LEFT_OUT), clip_of)
    drawn = re.search(r'<figure class="map">(<svg.*?</svg>)', page, re.DOTALL)
    assert drawn
    return ET.fromstring(drawn[1])


def test_each_clip_is_a_point_in_the_colour_of_its_class_and_says_what_it_is() -> None:
    first, second, *tested = map_of().findall("g")
    assert len(tested) == 24
    assert first.get("style") == tested[0].get("style") != second.get("style")
    assert (first.get("class"), tested[0].get("class")) == (None, "tested")
    told = "".join(second.itertext())
    assert "right, learned from" in told
    assert "called left, 90%" in told
    assert "_end.mp4" in told
    assert "left/<i>&.mp4" in " ".join(first.itertext())
    assert "called" not in " ".join(first.itertext())
    assert all(one.find("g/image").get("href").startswith("data:image/webp") for one in tested)  # type: ignore[union-attr]


def test_wrong_answers_wear_a_ring_and_no_others() -> None:
    _, *points = map_of().findall("g")
    ringed = [one.find("circle[@class='missed']") is not None for one in points]
    wrong = [predicted != target for predicted, target in zip(*MIXED, strict=True)]
    assert ringed == [True, *wrong]


def test_points_lie_as_the_features_do_and_within_the_frame() -> None:
    def place(point: ET.Element) -> tuple[float, float]:
        circle = point.findall("circle")[-1]
        return float(circle.get("cx", "")), float(circle.get("cy", ""))

    svg = map_of()
    first, second, tested, *_ = map(place, svg.findall("g"))
    assert first[0] < second[0] < tested[0] == 412  # x grows to the right, up to the margin
    assert first[1] == 372 > tested[1] > second[1] == 64  # y grows upwards
    assert svg.get("viewBox") == "0 0 420 380"


def test_five_hundred_clips_of_noise_stay_within_a_megabyte() -> None:
    noise = np.random.default_rng(0).integers(256, size=(1, 224, 224, 3)).astype(np.uint8)
    names = [f"{n:x}" for n in range(500)]
    many = pd.DataFrame({"hash": names, "path": names, "label": "left"}).assign(x=1.0, y=1.0)
    svg = map_of(0, many, lambda _: Clip(noise, np.zeros(1)))
    assert len(svg.findall("g")) == 500
    assert len(ET.tostring(svg)) < 1_000_000
    # Where all lie in one place, they lie in the middle.
    assert svg.findall("g")[0].find("circle").get("cx") == "210.0"  # type: ignore[union-attr]


def test_without_features_there_is_no_map() -> None:
    assert 'id="map"' not in render(evaluation(*MIXED), clip)
