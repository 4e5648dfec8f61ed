"""Files that are no video, are broken, or carry what is not decoded here."""

from __future__ import annotations

import gzip
import io
import tarfile
import zipfile
from collections.abc import Callable

import numpy as np

from tests.hostile.boxes import box
from tests.hostile.workshop import Case, Workshop


def _of(content: bytes) -> Callable[[Workshop], bytes]:
    return lambda _: content


def _true(*arguments: str) -> Callable[[Workshop], bytes]:
    return lambda workshop: workshop.true(*arguments)


def _picture(codec: str) -> Callable[[Workshop], bytes]:
    return _true("image2", codec, "-frames:v", "1")


# What lies in folders of videos and is none.
_OTHER_FILES: dict[str, Case] = {
    "text.mp4": ("unreadable", _of(b"The camera was stolen, sorry.\n")),
    "zeros.mp4": ("unreadable", _of(bytes(100_000))),
    "noise.mp4": ("unreadable", lambda _: np.random.default_rng(0).bytes(100_000)),
    "program.mp4": ("unreadable", _of(b"\x7fELF\x02\x01\x01" + bytes(4000))),
    "script.mp4": ("unreadable", _of(b"#!/bin/sh\ntouch escaped\n")),
    "page.mp4": ("unreadable", _of(b"<html><script>alert(1)</script></html>")),
    "document.mp4": ("unreadable", _of(b"%PDF-1.7\n1 0 obj\n<< /URI (http://127.0.0.1/) >>\n")),
    "archive.mp4": ("unreadable", lambda _: _archive()),
    "tape.mp4": ("unreadable", lambda _: _tape()),
    "packed.mp4": ("format", lambda w: gzip.compress(w.true("mp4", "libx264"), mtime=0)),
    "picture.jpg": ("format", _picture("mjpeg")),
    "picture.png": ("format", _picture("png")),
    "img%03d.tif": ("format", _picture("tiff")),
    "picture.bmp": ("format", _picture("bmp")),
    "sound.mp3": ("format", _true("mp3", "")),
    "sound.wav": ("format", _true("wav", "")),
    "sound.m4a": ("no_video", _true("ipod", "")),
    "codec.avi": ("codec", _true("avi", "snow", "-strict", "-2")),
    "codec.mkv": ("codec", _true("matroska", "flashsv")),
    "only_a_brand.mp4": ("unreadable", _of(box(b"ftyp", b"isom", bytes(4)))),
    "no_media.mp4": ("no_frames", lambda w: _without_media(w.true("mp4", "libx264"))),
}

_WHOLE = {
    "mp4": _true("mp4", "libx264", "-movflags", "+faststart"),
    "mkv": _true("matroska", "libx264"),
    "webm": _true("webm", "libvpx-vp9", "-deadline", "realtime"),
    "avi": _true("avi", "mpeg4"),
    "mov": _true("mov", "mjpeg", "-movflags", "+faststart"),
    "ts": _true("mpegts", "libx264"),
    "flv": _true("flv", "flv"),
}


def _cut(whole: Callable[[Workshop], bytes]) -> Callable[[Workshop], bytes]:
    def make(workshop: Workshop) -> bytes:
        content = whole(workshop)
        return content[: len(content) * 7 // 10]

    return make


def _overwritten(whole: Callable[[Workshop], bytes]) -> Callable[[Workshop], bytes]:
    """A tenth in the middle is noise."""

    def make(workshop: Workshop) -> bytes:
        content = whole(workshop)
        first, last = len(content) // 2, len(content) * 6 // 10
        return content[:first] + np.random.default_rng(1).bytes(last - first) + content[last:]

    return make


_BROKEN: dict[str, Case] = {
    # A transport stream is packets without end: of one cut short, nothing is missing.
    **{f"cut.{kind}": ("damaged", _cut(whole)) for kind, whole in _WHOLE.items() if kind != "ts"},
    **{f"overwritten.{kind}": ("damaged", _overwritten(whole)) for kind, whole in _WHOLE.items()},
    "cut_index.mp4": ("unreadable", lambda w: w.true("mp4", "libx264")[:-400]),
    "cut_header.mkv": ("unreadable", lambda w: w.true("matroska", "libx264")[:300]),
}
MALFORMED = {**_OTHER_FILES, **_BROKEN}


def _archive() -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("../../escape.mp4", bytes(1000))
    return packed.getvalue()


def _tape() -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tape:
        entry = tarfile.TarInfo("escape.mp4")
        entry.type, entry.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tape.addfile(entry)
    return packed.getvalue()


def _without_media(mp4: bytes) -> bytes:
    """The header of a file whose pictures are gone."""
    at = mp4.index(b"mdat") - 4
    size = int.from_bytes(mp4[at : at + 4], "big")
    return mp4[:at] + mp4[at + size :]
