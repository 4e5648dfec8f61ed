"""Bytes of containers, put together by hand: what no encoder would write."""

from __future__ import annotations

import struct


def box(kind: bytes, *content: bytes) -> bytes:
    """A box of ISO/IEC 14496-12: size, kind, content."""
    payload = b"".join(content)
    return struct.pack(">I", 8 + len(payload)) + kind + payload


def full_box(kind: bytes, *content: bytes, flags: int = 0) -> bytes:
    """A box with version 0 and flags."""
    return box(kind, struct.pack(">I", flags), *content)


def element(identifier: str, *content: bytes) -> bytes:
    """An element of EBML (RFC 8794): identifier in hexadecimal, size in eight bytes, content."""
    payload = b"".join(content)
    return bytes.fromhex(identifier) + (1 << 56 | len(payload)).to_bytes(8, "big") + payload


def number(identifier: str, value: int) -> bytes:
    return element(identifier, value.to_bytes(8, "big"))


def matroska(*segment: bytes) -> bytes:
    """A file of Matroska around the elements of its segment."""
    return element("1a45dfa3", element("4282", b"matroska")) + element("18538067", *segment)


def matroska_track(codec: bytes, width: int, height: int, *more: bytes) -> bytes:
    """`Tracks` with one video track."""
    picture = element("e0", number("b0", width), number("ba", height), element("2eb524", b"I420"))
    entry = (number("d7", 1), number("73c5", 1), number("83", 1), element("86", codec), picture)
    return element("1654ae6b", element("ae", *entry, *more))


def cluster(time: int, *frames: bytes) -> bytes:
    """A cluster of key frames of track 1 at `time`, in units of the segment."""
    blocks = [element("a3", b"\x81\x00\x00\x80" + frame) for frame in frames]
    return element("1f43b675", number("e7", time), *blocks)


def mp4(*track: bytes, timescale: int = 1000, media: bytes = b"") -> bytes:
    """A file of one video track whose `minf` holds the boxes of `track`."""
    header = full_box(b"mvhd", struct.pack(">IIII", 0, 0, timescale, 1000), bytes(80))
    track_header = full_box(b"tkhd", bytes(72), struct.pack(">II", 64 << 16, 48 << 16), flags=7)
    media_header = full_box(b"mdhd", struct.pack(">IIIII", 0, 0, timescale, 1000, 0))
    handler = full_box(b"hdlr", bytes(4), b"vide", bytes(12), b"\0")
    mdia = box(b"mdia", media_header, handler, box(b"minf", *track))
    moov = box(b"moov", header, box(b"trak", track_header, mdia))
    return box(b"ftyp", b"isom", bytes(4), b"isom") + moov + box(b"mdat", media)


def sample_table(*, samples: int, sizes: bytes, chunks: bytes, entry: bytes = b"mp4v") -> bytes:
    """`stbl` of `samples` samples of one time step each."""
    description = box(entry, bytes(6), b"\0\1", bytes(16), struct.pack(">HH", 64, 48), bytes(50))
    return box(
        b"stbl",
        full_box(b"stsd", struct.pack(">I", 1), description),
        full_box(b"stts", struct.pack(">III", 1, samples, 1)),
        full_box(b"stsc", struct.pack(">IIII", 1, 1, samples, 1)),
        sizes,
        chunks,
    )


def one_chunk(offset: int = 0) -> bytes:
    return full_box(b"stco", struct.pack(">II", 1, offset))


def equal_sizes(size: int, samples: int) -> bytes:
    return full_box(b"stsz", struct.pack(">II", size, samples))


def data_reference(kind: bytes, *content: bytes) -> bytes:
    """`dinf` that says: the pictures lie in another file."""
    return box(b"dinf", full_box(b"dref", struct.pack(">I", 1), full_box(kind, *content)))
