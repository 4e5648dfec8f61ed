"""From a decoder's frames to pictures of a clip: cut to a region, scaled, padded, HDR to SDR."""

from __future__ import annotations

from fractions import Fraction

from reelflow.extraction.region import WHOLE, Box
from reelflow.store.clip_spec import ClipSpec
from reelflow.video.check_by_decoding import VideoInfo

# `accurate_rnd` and `bitexact` give the same bytes on every processor, `full_chroma_int` keeps
# the colours of small pictures. Together they cost a few per cent of a decode.
_SCALER_FLAGS = "accurate_rnd+full_chroma_int+full_chroma_inp+bitexact"
# HDR has the transfer functions PQ and HLG. It is brought to the light of a common screen in the
# usual way of ffmpeg: linear, white at 100 candelas a square metre, in the colours of BT.709,
# highlights by Hable's curve. Scaling comes first, since each value takes four bytes on the way.
_HDR = ("smpte2084", "arib-std-b67")
_TO_SDR = (
    "format=gbrp16le", "zscale=t=linear:npl=100", "format=gbrpf32le", "zscale=p=bt709",
    "tonemap=hable:desat=0", "zscale=t=bt709", "format=gbrp",
)  # fmt: skip
# Kinds of transparent pictures that the scaler does not lay over true black without a conversion.
_TRANSPARENT = ("yuva", "pal8")


def scaled_size(spec: ClipSpec, info: VideoInfo, region: Box) -> tuple[int, int]:
    """Height and width of the region of a video once it is scaled as `spec.fit` asks."""
    if spec.fit == "stretch":
        return spec.height, spec.width
    choose = max if spec.fit == "crop" else min
    across = Fraction(region[2]) * info.width
    down = Fraction(region[3]) * info.height
    scale = choose(spec.width / across, spec.height / down)
    return max(1, round(down * scale)), max(1, round(across * scale))


def filters_of(spec: ClipSpec, info: VideoInfo, region: Box) -> list[str]:
    """ffmpeg's filters from the decoder's frames to square pixels of the size that `spec` asks for;
    transparent pixels lie over black. ffmpeg itself has turned the picture as the file asks."""
    filters = []
    if region != WHOLE:
        # Shares, so that pixels that are not square do not matter.
        left, top, width, height = (f"{share:.6f}" for share in region)
        filters.append(f"crop=iw*{width}:ih*{height}:iw*{left}:ih*{top}")
    scaler = f"flags={spec.scaler}+{_SCALER_FLAGS}:alphablend=uniform_color"
    if info.pixel_format.startswith(_TRANSPARENT):
        filters += [f"scale={scaler}", "format=gbrap"]
    down, across = scaled_size(spec, info, region)
    filters.append(f"scale={across}:{down}:{scaler}")
    if info.transfer in _HDR:
        filters += _TO_SDR
    filters.append("format=rgb24")
    if spec.fit == "crop" and spec.crops == 1:
        filters.append(f"crop={spec.width}:{spec.height}:exact=1")
    elif spec.fit == "pad":
        filters.append(f"pad={spec.width}:{spec.height}:(ow-iw)/2:(oh-ih)/2")
    return [*filters, "setsar=1"]
