"""Loading plug-ins by name: built-in and third-party ones come through the same entry points."""

import sys
from functools import lru_cache
from importlib.metadata import EntryPoint, entry_points

from probes.errors import PluginError

__all__ = ["load", "names"]


def names(group: str) -> list[str]:
    """Names registered under an entry-point group such as `evenhand.probes`, sorted, without loading any."""
    return sorted({point.name for point in _points(group, tuple(sys.path))})


def load(group: str, name: str) -> type:
    """The class registered under a name; nothing else of the group is imported.

    Args:
        group: Entry-point group, such as `evenhand.probes`.
        name: The plug-in's name, such as `bias/decisions`.

    Returns:
        The plug-in's class.

    Raises:
        PluginError: The name is unknown, registered twice, or fails to import; the message
            names the distribution that registered it.
    """
    found = [point for point in _points(group, tuple(sys.path)) if point.name == name]
    # An editable install seen twice on the path registers the same object twice: that is no conflict.
    distinct = {(point.value, _distribution(point)): point for point in found}
    if not distinct:
        accepted = ", ".join(names(group)) or "none installed"
        raise PluginError(f"{group}: unknown name {name!r}; accepted: {accepted}")
    if len(distinct) > 1:
        owners = ", ".join(sorted(f"{dist} ({value})" for value, dist in distinct))
        raise PluginError(f"{group}: {name!r} is registered more than once: {owners}")
    point = next(iter(distinct.values()))
    try:
        loaded = point.load()
    except (ImportError, AttributeError) as error:
        owner = _distribution(point)
        raise PluginError(f"{group}: {name!r} of distribution {owner} does not load: {error}") from error
    if not isinstance(loaded, type):
        raise PluginError(f"{group}: {name!r} of distribution {_distribution(point)} is not a class")
    return loaded


@lru_cache(maxsize=64)
def _points(group: str, path: tuple[str, ...]) -> tuple[EntryPoint, ...]:  # noqa: ARG001 - only a key
    """The points of a group on a path of modules: reading every distribution takes 20 ms each time."""
    return tuple(entry_points(group=group))


def _distribution(point: EntryPoint) -> str:
    return point.dist.name if point.dist is not None else "unknown"
