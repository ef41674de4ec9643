"""Whether the libraries of an extra are installed, without loading them."""

import importlib.util

__all__ = ["missing_packages"]


def missing_packages(*packages: str) -> tuple[str, ...]:
    """Those that are not installed, in order.

    >>> missing_packages("json", "no_such_package_at_all")
    ('no_such_package_at_all',)
    """
    return tuple(package for package in packages if importlib.util.find_spec(package) is None)
