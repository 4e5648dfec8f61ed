"""What one file is.

A path in, verdict and facts out (`check`). A file is opened safely (`open_safely`), and ffmpeg
decodes it to its end: allowed formats alone (`allowed_formats`), under limits (`process_limits`).
"""
