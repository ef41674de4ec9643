"""Named random generators: adding one consumer never changes the numbers of another."""

import hashlib

import numpy as np

__all__ = ["derive", "rng"]


def derive(root: int, *names: str | int) -> int:
    """A 64-bit seed that depends on the root seed and on every name, in order.

    Args:
        root: The run's root seed, any integer.
        names: What the randomness is for, from general to special.

    Returns:
        An integer in [0, 2**64).

    >>> derive(7, "probe", "bias/decisions") == derive(7, "probe", "bias/decisions")
    True
    >>> derive(7, "a", "b") == derive(7, "ab")
    False
    """
    text = "\x1f".join([str(root), *(f"{type(name).__name__}:{name}" for name in names)])
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")


def rng(root: int, *names: str | int) -> np.random.Generator:
    """A generator for one named purpose under a root seed.

    Args:
        root: The run's root seed.
        names: What the randomness is for; other names give independent streams.

    Returns:
        A fresh `numpy.random.Generator` (PCG64).
    """
    return np.random.Generator(np.random.PCG64(derive(root, *names)))
