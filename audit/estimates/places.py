"""Where each estimate or change is, in words that tell it from the others."""

from collections import defaultdict
from collections.abc import Sequence

from audit.records import Change, Estimate

__all__ = ["places"]


def places(changes: Sequence[Change | Estimate]) -> tuple[str, ...]:
    """Where each one is, in words that tell it from every other of the same contrast.

    Its domain and technique; its language and its probe are added where another says the same without.

    Args:
        changes: Changes of one comparison, or estimates of one run.
    """
    contrasts = [(one.measure, one.attribute, one.group, one.reference_group, one.signal) for one in changes]
    found = [one.where for one in changes]
    for further in ([one.language for one in changes], [one.probe for one in changes]):
        said: dict[tuple[object, ...], set[str]] = defaultdict(set)
        for contrast, place, more in zip(contrasts, found, further, strict=True):
            said[contrast, place].add(more)
        found = [
            f"{place}, {more}" if len(said[contrast, place]) > 1 and more else place
            for contrast, place, more in zip(contrasts, found, further, strict=True)
        ]
    return tuple(found)
