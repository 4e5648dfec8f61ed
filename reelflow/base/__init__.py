"""What every room needs and nothing of video.

Errors for people, files written whole, tables, progress, processes.
"""
