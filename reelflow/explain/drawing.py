"""Maps over frames: pictures, a strip of them, and a film."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from reelflow.base.errors import DataError
from reelflow.base.evenly_spaced import evenly
from reelflow.base.files import replacing
from reelflow.explain.explainable_model import Floats, Frames
from reelflow.video.ffmpeg import ffmpeg_exe

# For, and against: told apart by those who see no red or no green, too.
_FOR, _AGAINST = (255, 120, 0), (0, 110, 220)
_THICKEST = 0.65
# Of what is strongest this share of a map counts as full, so that one pixel does not dim the rest.
_FULL = 99.5
_HEIGHT, _TILE = 288, 150
_BAR, _GAP, _TITLE = 26, 4, 18
_PAPER, _INK, _SOFT = (255, 254, 251), (35, 34, 31), (150, 147, 140)
_FASTEST, _SLOWEST = 30.0, 2.0


def overlay(frames: Frames, values: Floats) -> Frames:
    """Frames with a map laid over them: orange speaks for the answer, blue against it.

    Args:
        frames: uint8 (T, H, W, 3).
        values: float32 (T, H, W); one scale for all frames.
    """
    full = float(np.percentile(np.abs(values), _FULL)) or 1.0
    shown = np.empty_like(frames)
    for at, (frame, plane) in enumerate(zip(frames, values, strict=True)):
        thick = np.clip(np.abs(plane) / full, 0, 1)[..., np.newaxis] * _THICKEST
        colour = np.where(plane[..., np.newaxis] > 0, np.array(_FOR), np.array(_AGAINST))
        # In grey, so that no colour of the picture is taken for one of the map.
        grey = frame.mean(axis=2, keepdims=True)
        shown[at] = np.rint(grey + thick * (colour - grey))
    return shown


def outlined(frames: Frames, boxes: Iterable[tuple[int, int, int, int]]) -> Frames:
    """A copy with lines around boxes (left, top, right, bottom) that are not the whole picture."""
    shown = frames.copy()
    height, width = frames.shape[1:3]
    for left, top, right, bottom in boxes:
        thick = max(1, height // 150)
        if (left, top, right, bottom) != (0, 0, width, height):
            inner = shown[:, top + thick : bottom - thick, left + thick : right - thick].copy()
            shown[:, top:bottom, left:right] = 255
            shown[:, top + thick : bottom - thick, left + thick : right - thick] = inner
    return shown


def strip(
    frames: Frames, rows: Mapping[str, Floats], times: Sequence[float], count: int = 8
) -> Any:
    """Frames side by side, a row as they are and a row a map: a picture of Pillow.

    Args:
        frames: uint8 (T, H, W, 3).
        rows: maps (T, H, W) by what is written over them.
        times: seconds of each frame.
        count: frames that are shown, evenly spread.
    """
    taken = evenly(len(frames), count)
    drawn = {"what the model was shown": frames} | {
        name: overlay(frames, values) for name, values in rows.items()
    }
    width, height = _size(frames, _TILE)
    font = ImageFont.load_default(12)
    room = _TITLE + height + _GAP
    sheet = Image.new(
        "RGB", (len(taken) * (width + _GAP) - _GAP, len(drawn) * room + _TITLE), _PAPER
    )
    pen = ImageDraw.Draw(sheet)
    for row, (name, pictures) in enumerate(drawn.items()):
        pen.text((0, row * room + 2), name, _INK, font)
        for column, at in enumerate(taken):
            small = _scaled(pictures[at], (width, height))
            sheet.paste(small, (column * (width + _GAP), row * room + _TITLE))
    for column, at in enumerate(taken):
        place = (column * (width + _GAP), len(drawn) * room)
        pen.text(place, f"{times[at]:.2f} s", _SOFT, font)
    return sheet


def film(
    path: Path,
    frames: Frames,
    values: Floats,
    times: NDArray[np.float64],
    title: str,
    runs: Sequence[tuple[slice, float]],
) -> None:
    """Write an mp4: the frames, beside them the map, below how much each moment counts.

    Args:
        path: of the file.
        frames: uint8 (T, H, W, 3).
        values: the map, (T, H, W).
        times: seconds of each frame; the film runs as fast as the video.
        title: written above.
        runs: frames, and how much speaks for the answer there.
    """
    width, height = size = _size(frames, _HEIGHT)
    across, middle = 2 * width + _GAP, _TITLE + height + _BAR // 2
    blank = Image.new("RGB", (across, _TITLE + height + _BAR), _PAPER)
    pen = ImageDraw.Draw(blank)
    pen.text((2, 2), title, _INK, ImageFont.load_default(12))
    most = max((abs(value) for _, value in runs), default=0) or 1
    for run, value in runs:
        tall = round((_BAR // 2 - 1) * value / most)
        left, right = (round(edge * across / len(frames)) for edge in (run.start, run.stop))
        top, bottom = sorted((middle, middle - tall))
        pen.rectangle((left, top, right - 2, bottom), _FOR if value > 0 else _AGAINST)
    sheets = []
    for at, pictures in enumerate(zip(frames, overlay(frames, values), strict=True)):
        sheet = blank.copy()
        for column, picture in enumerate(pictures):
            sheet.paste(_scaled(picture, size), (column * (width + _GAP), _TITLE))
        now = round((at + 0.5) * across / len(frames))
        ImageDraw.Draw(sheet).line((now, _TITLE + height, now, _TITLE + height + _BAR), _INK, 2)
        sheets.append(np.asarray(sheet))
    span = float(times[-1] - times[0])
    rate = (len(times) - 1) / span if span > 0 else _SLOWEST
    _encode(path, np.stack(sheets), float(np.clip(rate, _SLOWEST, _FASTEST)))


def _size(frames: Frames, height: int) -> tuple[int, int]:
    """Width and height of a frame as it is drawn; even, as H.264 wants them."""
    width = round(height * frames.shape[2] / frames.shape[1])
    return max(2, width - width % 2), height


def _scaled(frame: Frames, size: tuple[int, int]) -> Image.Image:
    larger = size[1] > frame.shape[0]
    return Image.fromarray(frame).resize(
        size, Image.Resampling.BICUBIC if larger else Image.Resampling.BOX
    )


def _encode(path: Path, frames: Frames, rate: float) -> None:
    _, height, width, _ = frames.shape
    with replacing(path) as temporary:
        command = [
            *(ffmpeg_exe(), "-nostdin", "-v", "error", "-y", "-f", "rawvideo"),
            *("-pix_fmt", "rgb24", "-s", f"{width}x{height}", "-r", f"{rate:.6f}", "-i", "pipe:0"),
            *("-c:v", "libx264", "-preset", "veryfast", "-crf", "20", "-pix_fmt", "yuv420p"),
            *("-threads", "1", "-fflags", "+bitexact", "-flags:v", "+bitexact"),
            *("-movflags", "+faststart", "-f", "mp4", f"file:{temporary}"),
        ]
        done = subprocess.run(command, input=frames.tobytes(), capture_output=True, check=False)
        if done.returncode:
            said = done.stderr.decode("utf-8", "replace").strip().splitlines()
            raise DataError(f"ffmpeg could not write {path}: {said[-1] if said else 'it failed'}.")
