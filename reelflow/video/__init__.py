"""What one file is.

A path in, verdict and facts out (`check`), decoded to its end within bounds (`sandbox`, `ffmpeg`).
"""
