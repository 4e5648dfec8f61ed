"""What is done to transparent and to HDR pictures, by the rules that docs/frames.md states."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from reelflow.extraction.read_clips import read_clip
from reelflow.store.clip_spec import ClipSpec
from reelflow.video.check_by_decoding import check_video
from reelflow.video.process_limits import Bounds
from tests.conftest import ffmpeg
from tests.truth import FLAGS, same_frames

BOUNDS = Bounds(timeout_s=60, memory_mb=1024)
TRANSPARENT = {
    "rle.mov": ("argb", "-c:v", "qtrle"),
    "png.mov": ("rgba", "-c:v", "png"),
    "prores.mov": ("yuva444p10le", "-c:v", "prores_ks", "-profile:v", "4444"),
    "ffv1.mkv": ("yuva420p", "-c:v", "ffv1"),
    "a.apng": ("rgba", "-plays", "0"),
    "a.gif": ("pal8",),
    "a.webp": ("bgra", "-c:v", "libwebp_anim", "-lossless", "1"),
}


@pytest.mark.parametrize("name", TRANSPARENT)
def test_what_is_transparent_is_laid_over_black(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    stored, *options = TRANSPARENT[name]
    # Opaque on the left, fading to nothing on the right; a GIF knows but all or nothing.
    fade = "255*gt(48,X)" if name.endswith("gif") else "clip(510-8*X,0,255)"
    colours = "r='r(X,Y)':g='g(X,Y)':b='b(X,Y)'"
    picture = f"testsrc2=size=96x64:rate=6:duration=1,format=rgba,geq={colours}:a='{fade}'"
    if name.endswith("gif"):
        picture += ",split[a][b];[a]palettegen=reserve_transparent=1[p];[b][p]paletteuse"
    ffmpeg("-filter_complex", picture, "-pix_fmt", stored, *options, str(path))
    info = check_video(path, BOUNDS)
    clip = read_clip(path, ClipSpec(info.frames, 64, 96), BOUNDS, info=info)
    plain = ffmpeg(
        *("-i", str(path), "-vf", f"scale=flags={FLAGS},format=rgba"),
        *("-fps_mode", "passthrough", "-f", "rawvideo", "-"),
    )
    pixels = np.frombuffer(plain, np.uint8).reshape(info.frames, 64, 96, 4).astype(float)
    expected = pixels[..., :3] * pixels[..., 3:] / 255
    np.testing.assert_allclose(clip.frames, expected, atol=2)
    assert clip.frames[:, :, :24].max() > 200
    assert clip.frames[:, :, 72:].max() <= 3


def hdr(path: Path, transfer: str, level: str) -> Path:
    """Grey of a level (0 to 1) of the signal, in BT.2020."""
    value = round(255 * float(level))
    picture = (
        f"color=0x{value:02x}{value:02x}{value:02x}:size=96x64:rate=6:duration=1,format=yuv420p10le"
    )
    tags = f"log-level=error:colorprim=bt2020:transfer={transfer}:colormatrix=bt2020nc"
    ffmpeg("-f", "lavfi", "-i", picture, "-c:v", "libx265", "-x265-params", tags, str(path))
    return path


TO_SDR = (
    ",format=gbrp16le,zscale=t=linear:npl=100,format=gbrpf32le,zscale=p=bt709,"
    "tonemap=hable:desat=0,zscale=t=bt709,format=gbrp"
)


@pytest.mark.parametrize(
    ("transfer", "then"), [("smpte2084", TO_SDR), ("arib-std-b67", TO_SDR), ("bt2020-10", "")]
)
def test_hdr_is_brought_to_sdr_by_the_stated_rule(transfer: str, then: str, tmp_path: Path) -> None:
    path = hdr(tmp_path / "a.mp4", transfer, "0.5")
    info = check_video(path, BOUNDS)
    assert info.transfer == transfer
    same_frames(path, info, read_clip(path, ClipSpec(3, 64, 96), BOUNDS, info=info), then)


def test_brighter_hdr_stays_brighter_and_nothing_is_clipped_below_white(tmp_path: Path) -> None:
    means = [
        float(
            read_clip(
                hdr(tmp_path / f"{level}.mp4", "smpte2084", level), ClipSpec(1, 64, 96)
            ).frames.mean()
        )
        for level in ("0.2", "0.4", "0.6", "0.7")
    ]
    assert means == sorted(means)
    assert means[0] > 0
    assert means[3] < 254
