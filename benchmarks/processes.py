"""Work spread over a few processes, its results in order."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import TypeVar

import numpy as np
import scipy.linalg as sl
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped] # it ships no types

__all__ = ["WORKERS", "in_processes"]

WORKERS = 2

Asked = TypeVar("Asked")
Found = TypeVar("Found")


def in_processes(
    make: Callable[[Asked], Found],
    asked: Iterable[Asked],
    *,
    workers: int = WORKERS,
    chunksize: int = 1,
) -> Iterator[Found]:
    """What `make` gives for each, in order, by fresh processes of one numerical thread each.

    Small matrices are handled many times faster by one thread than by several that wait for each other.

    Args:
        make: A function that can be imported by name, or a partial of one.
        asked: What it is called with, each time one of these.
        workers: Processes, at least 1.
        chunksize: How many are handed to a process at a time, at least 1.
    """
    # Fresh processes: a forked one may inherit a lock of the numerical library that nobody opens again.
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn"), initializer=_one_thread) as pool:
        yield from pool.map(make, asked, chunksize=chunksize)


def _one_thread() -> None:
    # Only libraries that are loaded can be limited, and these two may bring one each.
    sl.solve(np.eye(2), np.ones(2))
    threadpool_limits(1)
