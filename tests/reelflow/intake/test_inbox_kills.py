"""Kills while videos are taken from the inbox: none is lost, none is taken twice."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from reelflow.intake import inbox as module
from reelflow.intake.read_folder_or_csv import list_videos
from tests.reelflow.intake.test_inbox import files, no_link, put, settled


class Killed(BaseException):
    """The process ends here."""


STEPS: list[tuple[object, str]] = [
    (os, "link"),
    (shutil, "copyfile"),
    (module, "write_listing"),
    (module.Path, "unlink"),
    (module.Path, "mkdir"),
]


@pytest.mark.parametrize("with_csv", [False, True])
@pytest.mark.parametrize("linked", [True, False])
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("step", range(len(STEPS)))
@pytest.mark.parametrize("nth", [1, 2])
def test_a_kill_at_any_step_and_again_takes_each_video_once(
    inbox: Path,
    raw: Path,
    monkeypatch: pytest.MonkeyPatch,
    with_csv: bool,
    linked: bool,
    when: str,
    step: int,
    nth: int,
) -> None:
    put(raw / "walk/0.mp4", "0")
    if with_csv:
        put(raw / "videos.csv", "path,label\nwalk/0.mp4,walk\n")
    for name in "AB":
        put(inbox / f"walk/{name}.mp4", name)
    put(inbox / "run/g/C.mp4", "C")
    if not linked:
        monkeypatch.setattr(os, "link", no_link)
    with monkeypatch.context() as patched:
        patched.setattr(*STEPS[step], killing(*STEPS[step], nth, when))
        with contextlib.suppress(Killed):
            settled(inbox, raw)
    settled(inbox, raw)
    there = {path: text for path, text in files(raw).items() if not path.endswith(".csv")}
    assert there == {"run/g/C.mp4": "C", "walk/0.mp4": "0", "walk/A.mp4": "A", "walk/B.mp4": "B"}
    assert files(inbox) == {}
    labels = [(video.path, video.label) for video in list_videos(raw)]
    assert labels == [(path, path.split("/")[0]) for path in sorted(there)]
    assert [video.group for video in list_videos(raw)] == ["g", None, None, None]


def killing(owner: object, name: str, nth: int, when: str) -> Callable[..., object]:
    """The function `name` of `owner`, killed before or after its nth call."""
    true = getattr(owner, name)
    calls = 0

    def wrapped(*arguments: object, **options: object) -> object:
        nonlocal calls
        calls += 1
        if calls == nth and when == "before":
            raise Killed
        result = true(*arguments, **options)
        if calls == nth:
            raise Killed
        return result

    return wrapped


def test_a_copy_cut_short_is_no_video_and_is_cleared_away(inbox: Path, raw: Path) -> None:
    put(raw / "walk/.tmp-reelflow-999999999-abc.mp4", "ha")
    put(inbox / "walk/a.mp4", "half and more")
    assert settled(inbox, raw).new == ["walk/a.mp4"]
    assert files(raw) == {"walk/a.mp4": "half and more"}
