"""Clips as they are kept.

Arrays in, shards and an index out (`frame_store`); what is asked of a clip (`clip_spec`).
"""
