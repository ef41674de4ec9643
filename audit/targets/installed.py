"""Whether the libraries of an extra are installed, without loading them."""

import importlib.util

__all__ = ["missing_packages"]


def missing_packages(*packages: str) -> tuple[str, ...]:
    """Those that are not installed, in order; a mere folder of that name is no package.

    >>> missing_packages("json", "no_such_package_at_all")
    ('no_such_package_at_all',)
    """
    return tuple(package for package in packages if not _is_package(package))


def _is_package(name: str) -> bool:
    spec = importlib.util.find_spec(name)
    return spec is not None and spec.origin is not None
