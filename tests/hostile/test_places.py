"""What a path may be: anything. Only regular files in the raw folder are opened, by no name."""

from __future__ import annotations

import os
import shutil
import socket
from pathlib import Path

import pandas as pd
import pytest

from reelflow.dataset.catalogue import Catalogue, catalogue
from reelflow.dataset.check_cache import CheckCache
from reelflow.extraction.read_clips import read_clip
from reelflow.intake.read_folder_or_csv import list_videos
from reelflow.store.clip_spec import ClipSpec
from reelflow.video.process_limits import Bounds
from tests.hostile.conftest import Scene

BOUNDS = Bounds(timeout_s=10, memory_mb=512, file_gb=1)
SPEC = ClipSpec(2, 16, 16)


def look(raw: Path, **options: object) -> Catalogue:
    with CheckCache(raw.parent / "checks.sqlite") as cache:
        return catalogue(raw, list_videos(raw), BOUNDS, 1, cache, **options)  # type: ignore[arg-type]


def codes(found: Catalogue) -> dict[str, str]:
    return dict(found.quarantine[["path", "code"]].to_numpy().tolist())


@pytest.mark.parametrize(
    "name",
    [
        "-i",
        "-version",
        "a b.mp4",
        "new\nline.mp4",
        "tab\t\x1b[31m.mp4",
        "a'b\"c`d.mp4",
        "$(touch escaped).mp4",
        ";touch escaped;.mp4",
        "|touch escaped",
        "%d.mp4",
        "img%03d.png",
        "*.mp4",
        "~",
        "@file",
        "pipe:",
        "pipe:0",
        "fd:",
        "a:b.mp4",
        "data:,x",
        "concat:bait.ts|bait.ts",
        "subfile,,start,0,end,0,,:bait.ts",
        "crypto:bait.ts",
        "async:cache:bait.ts",
        "udp:127.0.0.1:1",
        "lavfi",
        "ü 漢字 🎬.mp4",
        os.fsdecode(b"\xff\xfe.mp4"),
        "x" * 255,
    ],
)
def test_a_name_is_only_a_name(name: str, scene: Scene) -> None:
    """The good video under it is read, and nothing else, however the name would be understood."""
    path = scene.folder / name
    make = path.parent / "unnamed"
    shutil.copy(scene.folder / "bait.ts", make)
    make.rename(path)
    scene.forget()
    clip = read_clip(path, SPEC, BOUNDS)
    scene.assert_only_touched(name)
    assert clip.frames.shape == SPEC.shape
    path.unlink()


@pytest.mark.parametrize("name", ["http:/x.mp4", "file:/x.mp4", "concat:/x|/x.mp4"])
def test_a_path_is_only_a_path(name: str, scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(scene.folder)
    Path(name).parent.mkdir(parents=True)
    shutil.copy("bait.ts", name)
    scene.forget()
    assert read_clip(Path(name), SPEC, BOUNDS).frames.shape == SPEC.shape
    scene.assert_only_touched()


def test_what_is_no_file_is_not_opened(tmp_path: Path) -> None:
    folder = tmp_path / "raw" / "any"
    folder.mkdir(parents=True)
    os.mkfifo(folder / "fifo.mp4")
    (folder / "loop.mp4").symlink_to("loop.mp4")
    (folder / "gone.mp4").symlink_to("nowhere")
    (folder / "folder.mp4").symlink_to(".")
    (folder / "empty.mp4").touch()
    with (folder / "huge.mp4").open("wb") as file:
        file.truncate(2 << 30)  # a hole: no bytes on the disk
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(folder / "socket.mp4"))
        assert codes(look(tmp_path / "raw")) == {
            "any/empty.mp4": "empty",
            "any/fifo.mp4": "not_a_file",
            "any/gone.mp4": "missing",
            "any/huge.mp4": "too_large",
            "any/loop.mp4": "unreadable",
            "any/socket.mp4": "not_a_file",
        }


def test_links_out_of_the_raw_folder_are_set_aside_unread(scene: Scene) -> None:
    folder = scene.folder
    (folder / "near.mp4").symlink_to("bait.ts")
    (folder / "canary.mp4").symlink_to(scene.bait.canary)
    (folder / "relative.mp4").symlink_to(f"../../{scene.bait.canary.parent.name}/x.ts")
    (folder / "twice.mp4").symlink_to("canary.mp4")
    (folder / "device.mp4").symlink_to("/dev/zero")
    (folder / "memory.mp4").symlink_to("/proc/self/mem")
    (folder / "users.mp4").symlink_to("/etc/passwd")
    (scene.inside / "linked").symlink_to(scene.bait.canary.parent)
    scene.forget()
    found = look(scene.inside)
    assert scene.outside.touched() - {""} == set()
    outside = ("any/canary", "any/relative", "any/twice", "any/device", "any/memory", "any/users")
    told = codes(found)
    assert {path: told[path] for path in told if told[path] == "outside"} == {
        **{f"{name}.mp4": "outside" for name in outside},
        "linked/x.ts": "outside",
    }
    # A link within the folder is the file that it leads to.
    assert told["any/near.mp4"] == "duplicate"
    reasons = found.quarantine.set_index("path")
    assert "ingest.links_to" in reasons.at["any/canary.mp4", "remedy"]


def test_links_to_folders_that_are_named_are_followed(tmp_path: Path, scene: Scene) -> None:
    (tmp_path / "raw" / "any").mkdir(parents=True)
    (tmp_path / "raw" / "any" / "far.mp4").symlink_to(scene.bait.canary)
    found = look(tmp_path / "raw", links_to=[scene.bait.canary.parent])
    assert found.manifest["path"].tolist() == ["any/far.mp4"]
    assert found.quarantine.empty


def test_the_tables_hold_any_name(tmp_path: Path, scene: Scene) -> None:
    folder = tmp_path / "raw" / "any"
    folder.mkdir(parents=True)
    for number, name in enumerate(['a,"b"\n.mp4', os.fsdecode(b"\xff.mp4"), "=1+1.mp4"]):
        (folder / name).write_bytes(b"no video %d" % number)
    found = look(tmp_path / "raw")
    text = found.quarantine.to_csv(index=False)
    (tmp_path / "quarantine.csv").write_text(text, encoding="utf-8")
    again = pd.read_csv(tmp_path / "quarantine.csv")
    assert sorted(again["path"]) == ["any/=1+1.mp4", "any/\\udcff.mp4", 'any/a,"b"\n.mp4']
