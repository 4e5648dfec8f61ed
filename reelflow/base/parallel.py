"""Work on many files at once, in threads.

Threads are enough: decoding happens in bounded processes of its own, whatever a decoder does, and
NumPy, hashing and the network release the interpreter's lock.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from itertools import islice
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def worker_count(wanted: int) -> int:
    """`wanted` workers, or one a core that this process may use if `wanted` is 0."""
    return wanted or len(os.sched_getaffinity(0))


def each(
    function: Callable[[Item], Result], items: Iterable[Item], workers: int
) -> Iterator[tuple[Item, Result]]:
    """Yield `(item, function(item))` as the results come, in no certain order.

    Args:
        function: what it raises is raised here.
        items: read only as fast as they are worked on, so that memory stays flat.
        workers: threads at once; 0 for one a core.
    """
    workers, waiting = worker_count(workers), iter(items)
    held: dict[Future[Result], Item] = {}
    pool = ThreadPoolExecutor(workers)
    try:
        while True:
            for item in islice(waiting, 2 * workers - len(held)):
                held[pool.submit(function, item)] = item
            if not held:
                return
            for future in wait(held, return_when=FIRST_COMPLETED).done:
                yield held.pop(future), future.result()
    finally:
        pool.shutdown(cancel_futures=True)
