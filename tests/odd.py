"""Videos with something odd in them that is no fault of the pictures, or is: packet by packet."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import av

from tests.conftest import ffmpeg

SOUND = ("-f", "lavfi", "-i", "sine=duration=4")
# A packet's number and bytes; what takes its place, each at so many units after it.
Change = Callable[[int, bytes], list[bytes]]


def picture(seconds: int = 4, size: str = "160x120") -> tuple[str, ...]:
    """Input of ffmpeg that shows something, 25 frames a second."""
    return ("-f", "lavfi", "-i", f"testsrc2=size={size}:rate=25:duration={seconds}")


def unit(content: bytes) -> bytes:
    """A unit of H.264 or HEVC as it stands in MP4 and Matroska."""
    return len(content).to_bytes(4, "big") + content


SEI = unit(bytes([6, 5, 16, *range(16), 0x80]))
DELIMITER = unit(b"\x09\xf0")
CUT_SEI = unit(bytes([6, 5, 200, *range(16), 0x80]))
# The parameters of a second view (MVC), which nothing here decodes, and a slice of it.
VIEW = unit(bytes.fromhex("6f80000aacd9428df9")) + unit(bytes.fromhex("684be3cb"))


def remade(target: Path, codec: str, change: Change, *options: str) -> Path:
    """A video whose packets are changed; `target` tells the container."""
    source = target.with_name("source.mp4")
    ffmpeg(*picture(), "-c:v", codec, *options, f"file:{source}")
    with av.open(str(source)) as given, av.open(str(target), "w") as made:
        stream = given.streams.video[0]
        copy = made.add_stream_from_template(stream)
        for number, packet in enumerate(p for p in given.demux(stream) if p.size):
            for place, content in enumerate(change(number, bytes(packet))):
                new = av.Packet(content)
                new.pts, new.dts = (time + 10 * place for time in (packet.pts, packet.dts))
                new.time_base, new.is_keyframe, new.stream = (
                    packet.time_base,
                    packet.is_keyframe,
                    copy,
                )
                made.mux(new)
    source.unlink()
    return target


def transport(target: Path, pid: int, change: Callable[[bytearray, int], None]) -> Path:
    """`target`, whose transport packets of `pid` are changed; they are numbered."""
    content, number = bytearray(target.read_bytes()), 0
    for at in range(0, len(content), 188):
        if int.from_bytes(content[at + 1 : at + 3], "big") & 0x1FFF == pid:
            packet = content[at : at + 188]
            change(packet, number)
            content[at : at + 188] = packet
            number += 1
    target.write_bytes(content)
    return target


def broken(packet: bytearray, number: int) -> None:
    """The receiver says of some packets that it got them wrong."""
    if number > 60 and number % 7 == 0:
        packet[1] |= 0x80


def scrambled(packet: bytearray, number: int) -> None:
    """As a broadcaster scrambles: with the flag that says so."""
    del number
    start = 5 + packet[4] if packet[3] & 0x20 else 4
    packet[start:] = bytes(byte ^ 0x5A for byte in packet[start:])
    packet[3] |= 0x80


def noise(packet: bytearray, number: int) -> None:
    """The content is garbage, and nothing says so."""
    del number
    start = 5 + packet[4] if packet[3] & 0x20 else 4
    start += 19 if packet[1] & 0x40 else 0  # its header stays
    packet[start:] = bytes(
        (byte * 31 + place * 7) & 255 for place, byte in enumerate(packet[start:])
    )
