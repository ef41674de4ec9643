"""The norm of a claim that is about several domains or languages."""

from collections.abc import Iterable

from probes.norms import most_permissive
from probes.records import Norm

__all__ = ["pooled_norm"]


def pooled_norm(norms: Iterable[object]) -> Norm | None:
    """The most permissive norm: a pooled claim is a finding only where every part forbids a difference.

    Args:
        norms: Norms or their names, as a frame's column has them.

    Returns:
        None if there is none.
    """
    present = sorted({Norm(str(value)) for value in norms})
    return most_permissive(present) if present else None
