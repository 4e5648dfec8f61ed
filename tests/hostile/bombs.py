"""Small files that ask for much: huge pictures, endless lists, sizes that are lies."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from typing import Any

from tests.hostile.boxes import (
    box,
    cluster,
    data_reference,
    element,
    equal_sizes,
    full_box,
    matroska,
    matroska_track,
    mp4,
    number,
    one_chunk,
    sample_table,
)
from tests.hostile.workshop import Case, Workshop

_SELF = box(b"dinf", full_box(b"dref", struct.pack(">I", 1), full_box(b"url ", flags=1)))
_BILLION = 1_000_000_000
_GREY = bytes(64 * 48 * 3 // 2)


def _table(samples: int, sizes: bytes, chunks: bytes | None = None, **more: Any) -> bytes:
    table = sample_table(samples=samples, sizes=sizes, chunks=chunks or one_chunk())
    return mp4(_SELF, table, **more)


def _of(content: bytes) -> Callable[[Workshop], bytes]:
    return lambda _: content


# Pictures larger than any, or of no shape.
_PICTURES: dict[str, Case] = {
    "gif_60000.gif": ("too_large", lambda _: _gif(60_000, 60_000)),
    "gif_20000.gif": ("too_large", lambda _: _gif(20_000, 20_000)),
    "jpeg_65500.mov": ("too_large", lambda w: _resize_jpeg(w.true("mov", "mjpeg"), 65_500)),
    "vp8_16383.ivf": ("too_large", lambda w: _resize_vp8(w.true("ivf", "libvpx"), 16_383)),
    "png_30000.mkv": (
        "too_large",
        lambda _: _in_matroska(b"V_MS/VFW/FOURCC", _png(30_000), b"MPNG"),
    ),
    "apng_30000.apng": ("too_large", lambda _: _png(30_000, animated=True)),
    "raw_65535.mkv": ("too_large", lambda _: _in_matroska(b"V_UNCOMPRESSED", _GREY, b"", 65_535)),
    "y4m_60000.y4m": ("too_large", _of(b"YUV4MPEG2 W60000 H60000 F25:1 C420\nFRAME\n" + _GREY)),
    "line.y4m": ("shape", _of(b"YUV4MPEG2 W1000 H2 F25:1 C420\nFRAME\n" + bytes(3000))),
    "stretched.y4m": ("shape", _of(b"YUV4MPEG2 W64 H48 F25:1 A30000:1 C420\nFRAME\n" + _GREY)),
}
# Lists that are longer than memory, sizes that are lies, things nested without end.
_LISTS: dict[str, Case] = {
    "samples.mp4": ("no_frames", lambda _: _table(_BILLION, equal_sizes(1, _BILLION))),
    "sizes_claimed.mp4": (
        "unreadable",
        lambda _: _table(_BILLION, full_box(b"stsz", struct.pack(">II", 0, _BILLION))),
    ),
    "chunks_claimed.mp4": (
        "no_frames",
        lambda _: _table(1, equal_sizes(1, 1), full_box(b"stco", struct.pack(">I", _BILLION))),
    ),
    "chunk_beyond_end.mp4": (
        "no_frames",
        lambda _: _table(1, equal_sizes(1, 1), one_chunk(2**31)),
    ),
    "no_timescale.mp4": (
        "no_frames",
        lambda _: _table(_BILLION, equal_sizes(1, _BILLION), timescale=0),
    ),
    "long_reference.mp4": (
        "no_frames",
        lambda _: mp4(
            data_reference(b"url ", bytes(1_000_000)),
            sample_table(samples=9, sizes=equal_sizes(1, 9), chunks=one_chunk()),
        ),
    ),
    "nested.mov": ("unreadable", lambda _: _nested(lambda inner: box(b"moov", inner))),
    "nested.mkv": (
        "unreadable",
        lambda _: element("1a45dfa3") + _nested(lambda inner: element("18538067", inner)),
    ),
    "tracks.mp4": (
        "memory",
        lambda _: box(b"moov", *[box(b"trak", full_box(b"tkhd", bytes(80)))] * 20_000),
    ),
    "moov_bomb.mov": ("no_video", lambda _: _moov_bomb()),
    "frame_bomb.mkv": ("no_frames", lambda _: _zlib_bomb()),
    "extradata.mkv": ("no_frames", lambda _: _extradata(32 << 20)),
    "extradata_claimed.mkv": ("unreadable", lambda _: matroska(_claims_without_end())),
    "times.mkv": (
        "times",
        lambda _: matroska(
            element("1549a966", number("2ad7b1", 1_000_000)),
            matroska_track(b"V_UNCOMPRESSED", 64, 48),
            cluster(0, _GREY),
            cluster(1 << 44, _GREY),
        ),
    ),
    "one_time.mkv": (
        "times",
        lambda _: matroska(matroska_track(b"V_UNCOMPRESSED", 64, 48), *[cluster(0, _GREY)] * 3),
    ),
    "index_loop.avi": ("unreadable", lambda _: _avi_loop()),
    "programs.ts": ("no_frames", lambda _: _programs(3000)),
    "metadata.flv": ("unreadable", lambda _: _deep_amf(50_000)),
}
BOMBS = {**_PICTURES, **_LISTS}


def _nested(around: Callable[[bytes], bytes]) -> bytes:
    inner = b""
    for _ in range(2000):
        inner = around(inner)
    return inner


def _moov_bomb() -> bytes:
    """A compressed header that unpacks to a thousand times its size, and claims ten times more."""
    packed = zlib.compress(bytes(20_000_000), 9)
    cmvd = box(b"cmvd", struct.pack(">I", 200_000_000), packed)
    return box(b"moov", box(b"cmov", box(b"dcom", b"zlib"), cmvd))


def _claims_without_end() -> bytes:
    """Tracks, a track and its private data that say they are terabytes."""
    return bytes.fromhex("1654ae6b 01000000ffffffff ae 01000000fffffff0 63a2 01000000ffffff00")


def _gif(width: int, height: int) -> bytes:
    head = b"GIF89a" + struct.pack("<HHBBB", width, height, 0x80, 0, 0) + bytes(3) + b"\xff" * 3
    return head + b"," + struct.pack("<HHHHB", 0, 0, width, height, 0) + b"\x02\x02\x4c\x01\x00;"


def _resize_jpeg(video: bytes, side: int) -> bytes:
    """Every frame header (SOF0) says that the picture is `side` wide and high."""
    patched, at = bytearray(video), 0
    while (at := patched.find(b"\xff\xc0\x00\x11\x08", at)) >= 0:
        patched[at + 5 : at + 9] = struct.pack(">HH", side, side)
        at += 9
    return bytes(patched)


def _resize_vp8(video: bytes, side: int) -> bytes:
    patched, at = bytearray(video), 0
    while (at := patched.find(b"\x9d\x01\x2a", at)) >= 0:
        patched[at + 3 : at + 7] = struct.pack("<HH", side, side)
        at += 7
    return bytes(patched)


def _png(side: int, *, animated: bool = False) -> bytes:
    def chunk(kind: bytes, content: bytes) -> bytes:
        return (
            struct.pack(">I", len(content))
            + kind
            + content
            + struct.pack(">I", zlib.crc32(kind + content))
        )

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0))
    control = chunk(b"acTL", struct.pack(">II", 1, 0))
    frame = chunk(b"fcTL", struct.pack(">IIIIIHHBB", 0, side, side, 0, 0, 1, 25, 0, 0))
    body = chunk(b"IDAT", zlib.compress(bytes(10_000_000), 9))
    middle = control + frame + body if animated else body
    return b"\x89PNG\r\n\x1a\n" + head + middle + chunk(b"IEND", b"")


def _in_matroska(codec: bytes, frame: bytes, fourcc: bytes, side: int = 64) -> bytes:
    more = []
    if fourcc:
        bitmap = struct.pack("<IiiHH4sIiiII", 40, side, side, 1, 24, fourcc, 0, 0, 0, 0, 0)
        more = [element("63a2", bitmap)]
    return matroska(matroska_track(codec, side, side, *more), cluster(0, frame))


def _zlib_bomb() -> bytes:
    """Frames of 400 MB of zeros each, packed a thousand to one."""
    packing = element("6d80", element("6240", element("5034", number("4254", 0))))
    packer = zlib.compressobj(9)
    frame = b"".join(packer.compress(bytes(1_000_000)) for _ in range(400)) + packer.flush()
    return matroska(matroska_track(b"V_MPEG4/ISO/ASP", 64, 48, packing), cluster(0, frame, frame))


def _extradata(size: int) -> bytes:
    return matroska(
        matroska_track(b"V_MPEG4/ISO/AVC", 64, 48, element("63a2", bytes(size))),
        cluster(0, bytes(100)),
    )


def _avi_loop() -> bytes:
    """An AVI whose index of indexes (`indx`) lists itself."""
    header = b"avih" + struct.pack("<I", 56) + bytes(56)
    stream = b"strh" + struct.pack("<I", 56) + b"vidsMJPG" + bytes(48)
    entry = struct.pack("<QII", 12, 64, 1)
    index = b"indx" + struct.pack("<IHBBI4sIII", 24 + 1600, 4, 0, 0, 100, b"00dc", 0, 0, 0)
    strl = b"LIST" + struct.pack("<I", 0xFFFF) + b"strl" + stream + index + entry * 100
    return b"RIFF" + struct.pack("<I", 0xFFFFFFF) + b"AVI LIST\xff\xff\x00\x00hdrl" + header + strl


def _programs(count: int) -> bytes:
    """A transport stream whose tables name `count` programs, each with its own table."""
    packets = []
    for first in range(0, count, 40):
        ids = range(first, min(count, first + 40))
        body = b"".join(struct.pack(">HH", 1 + n, 0xE000 | (32 + n)) for n in ids)
        packets.append(_section(0, 0x00, body))
    for n in range(count):
        body = struct.pack(">HH", 0xE100, 0xF000) + struct.pack(">BHH", 0x1B, 0xE000 | n, 0xF000)
        packets.append(_section(32 + n, 0x02, body, number=1 + n))
    return b"".join(packets * 2)


def _section(pid: int, table: int, body: bytes, number: int = 1) -> bytes:
    content = struct.pack(">HBBB", number, 0xC1, 0, 0) + body
    section = struct.pack(">BH", table, 0xB000 | (len(content) + 4)) + content
    section += struct.pack(">I", _crc(section))
    return (struct.pack(">BHB", 0x47, 0x4000 | pid, 0x10) + b"\0" + section).ljust(188, b"\xff")


def _crc(section: bytes) -> int:
    """CRC-32 of MPEG-2 tables: not reflected, not inverted at the end."""
    crc = 0xFFFFFFFF
    for byte in section:
        crc ^= byte << 24
        for _ in range(8):
            crc = (crc << 1 ^ (0x04C11DB7 if crc & 0x80000000 else 0)) & 0xFFFFFFFF
    return crc


def _deep_amf(depth: int) -> bytes:
    """FLV whose metadata hold an object in an object in an object …"""
    body = b"\x02\x00\x0aonMetaData" + b"\x03\x00\x01a" * depth
    tag = b"\x12" + len(body).to_bytes(3, "big") + bytes(7) + body
    return b"FLV\x01\x01\x00\x00\x00\x09" + bytes(4) + tag + struct.pack(">I", len(tag))
