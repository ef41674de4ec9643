"""Requests as they were before a technique, so that nearness is judged by what is asked."""

from functools import cache

from probes.base import Transform
from probes.errors import PluginError
from probes.plugins import load
from probes.safety.goals import PLAIN

__all__ = ["decoded"]


def decoded(text: str, technique: str | None) -> str:
    """A request as it was before a technique; the text itself where it cannot be had back.

    Args:
        text: The message as it is sent.
        technique: Name of a transform; None or `none`: the request is plain.
    """
    transform = None if technique is None or technique == PLAIN else _transform(technique)
    if transform is None or not transform.info.reversible:
        return text
    try:
        return transform.decode(text)
    except ValueError:
        return text


@cache
def _transform(name: str) -> Transform | None:
    try:
        made: Transform = load("evenhand.transforms", name)()
    except PluginError:
        return None
    return made
