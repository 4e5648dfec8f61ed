"""From a video to a few thousand numbers that a small classifier can learn from.

Frames close in time, parts of the picture (views), the maps of a pretrained network, statistics of
these over time, and a cache by content.
"""
