"""Where the processes of a training meet before TensorFlow connects them.

TensorFlow waits an hour for a process that is not there, in one call that nothing interrupts, and
then names no host. So each first waits here until something listens at every address.
"""

from __future__ import annotations

import logging
import socket
import time
from collections.abc import Sequence
from contextlib import closing

from reelflow.base.errors import ParamsError, UnavailableError

log = logging.getLogger(__name__)

# Seconds to wait for the others: they are started by hand, or by another machine's scheduler.
WAIT_S = 600.0
_ASK_S = 5.0
_PAUSE_S = 0.2


def meet(addresses: Sequence[str], index: int, wait_s: float = WAIT_S) -> None:
    """Return as soon as something listens at all addresses.

    One that was here before and went on to TensorFlow listens there again, at the same address.

    Args:
        addresses: `host:port` of each.
        index: the one of this process.
        wait_s: seconds.

    Raises:
        ParamsError: this process cannot listen at its own port.
        UnavailableError: nothing listens at some of them in time.
    """
    end = time.monotonic() + wait_s
    port = int(addresses[index].rpartition(":")[2])
    try:
        own = socket.create_server(("", port))
    except (OSError, OverflowError) as error:
        said = f"TF_CONFIG gives this process port {port}, which cannot be had: {error}."
        raise ParamsError(said) from None
    with closing(own):
        missing = [each for at, each in enumerate(addresses) if at != index]
        log.info("waits for the processes at %s", ", ".join(missing))
        while missing := [each for each in missing if not _listens(each)]:
            if time.monotonic() > end:
                raise UnavailableError(
                    f"Nothing listens at {', '.join(missing)}, as TF_CONFIG names it. Start a "
                    "process at each address, with data and code as here, within "
                    f"{wait_s / 60:g} minutes, and let the network pass these ports."
                )
            time.sleep(_PAUSE_S)


def _listens(address: str) -> bool:
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=_ASK_S).close()
    except (OSError, OverflowError):
        return False
    return True
