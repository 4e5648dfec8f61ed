"""What every room needs; it knows nothing of video.

Errors for people, files written whole, tables, progress, processes.
"""
