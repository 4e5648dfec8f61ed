"""The video path: what a file is (`check`), and the frames of a clip (`clip`, `decode`)."""
