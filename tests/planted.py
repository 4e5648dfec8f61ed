"""What a folder of videos may hold besides videos: each would harm whoever reads it as a file."""

from __future__ import annotations

import os
from pathlib import Path

NO_TEXT = os.fsdecode(b"caf\xe9.mp4")

# Code by name, of what `plant` puts into a folder.
ODD = {
    ".hidden": "outside",
    "fifo.mp4": "not_a_file",
    "far.mp4": "outside",
    "folder": "outside",
    "gone.mp4": "missing",
    "loop.mp4": "unreadable",
    "line\nend *?[!].mp4 ": "not_a_file",
    "round": "loop",
    "sparse.mp4": "too_large",
    "stages.dvc": "reserved",
    "dvc.yaml": "reserved",
    "zero.mp4": "outside",
    NO_TEXT: "name",
}


def plant(folder: Path, secret: Path) -> None:
    """Put one of each into a folder; `secret` is a file elsewhere, which gets the mode 0600."""
    folder.mkdir(parents=True, exist_ok=True)
    secret.parent.mkdir(parents=True, exist_ok=True)
    secret.write_text("a private key")
    secret.chmod(0o600)
    (folder / ".hidden").symlink_to(secret)
    (folder / "far.mp4").symlink_to(secret)
    (folder / "folder").symlink_to(secret.parent)
    (folder / "gone.mp4").symlink_to("nowhere")
    (folder / "loop.mp4").symlink_to("loop.mp4")
    (folder / "round").symlink_to("..")
    (folder / "zero.mp4").symlink_to("/dev/zero")
    os.mkfifo(folder / "fifo.mp4")
    os.mkfifo(folder / "line\nend *?[!].mp4 ")
    with (folder / "sparse.mp4").open("wb") as file:
        file.truncate(1 << 40)
    (folder / NO_TEXT).write_text("no text")
    (folder / "stages.dvc").write_text("outs: [{path: x}]\n")
    (folder / "dvc.yaml").write_text("stages: {evil: {cmd: touch evil}}\n")


def assert_untouched(secret: Path, project: Path) -> None:
    """The file has its bytes and its mode, is no other name's, and is nowhere in DVC's cache."""
    found = secret.stat()
    assert (found.st_mode & 0o777, found.st_nlink) == (0o600, 1)
    cached = [path for path in (project / ".dvc/cache").rglob("*") if path.is_file()]
    assert all(path.read_bytes() != secret.read_bytes() for path in cached)
