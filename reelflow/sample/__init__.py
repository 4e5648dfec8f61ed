"""A labelled set of small videos that a video classifier can learn from, made on the spot."""
