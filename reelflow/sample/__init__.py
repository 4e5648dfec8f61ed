"""A labelled set of small videos that a video classifier can learn from, made on the spot.

`scene` renders, `plan` lists the clips, `encode` and `broken` make files of them, and
`write_sample` does it all. `scene` describes the classes.
"""

from reelflow.sample.write import write_sample

__all__ = ["write_sample"]
