"""Clips in batches in, a fitted model out, the same to the bit each time.

How a model is saved and asked.
"""
