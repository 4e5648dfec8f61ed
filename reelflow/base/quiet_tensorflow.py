"""What TensorFlow prints when it starts, left out."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

_START_MESSAGES = (b"absl::InitializeLog", b"port.cc", b"cudart_stub.cc", b"cpu_feature_guard.cc")


@contextmanager
def without_start_messages() -> Iterator[None]:
    """Leave out what TensorFlow's C++ part prints on stderr while it is imported.

    It prints each time, before any setting of its log level counts, that there is no GPU and that
    oneDNN is on. Whatever else is printed goes to stderr when the import is over.
    """
    if "tensorflow" in sys.modules:
        yield
        return
    stderr = os.dup(2)
    with tempfile.TemporaryFile() as printed:
        os.dup2(printed.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(stderr, 2)
            os.close(stderr)
            printed.seek(0)
            kept = [line for line in printed if not any(part in line for part in _START_MESSAGES)]
            os.write(2, b"".join(kept))
