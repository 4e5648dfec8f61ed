"""A file into a clip.

A checked video and a clip spec in, frames out, by exact times; whole stores in parallel.
"""
