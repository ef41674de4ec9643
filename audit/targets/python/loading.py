"""Finding a Python object of the user's own by `module:name`, and telling what it raised in one line."""

import importlib
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Annotated

from pydantic import Field

from audit.errors import InputError

__all__ = ["ObjectName", "load_callable", "one_line", "raised"]

_SHOWN_CHARACTERS = 200
ObjectName = Annotated[str, Field(pattern=r"^[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*(\.[A-Za-z_]\w*)*$")]
"""`module:name`."""


def load_callable(name: str, root: Path, *, key: str) -> Callable[..., object]:
    """What a module holds under a name; importing it runs its code.

    Args:
        name: `module:name`; modules are looked up beside the spec first.
        root: Folder of the spec.
        key: Option that named it, for messages.

    Raises:
        InputError: The module does not import, or holds no such function or class.
    """
    module_name, _, attribute = name.partition(":")
    try:
        with _importable_from(root):
            found: object = importlib.import_module(module_name)
    except Exception as error:
        raise InputError(
            one_line(f"{key}: module {module_name!r} does not import: {type(error).__name__}: {error}"),
            next_step=f"put {module_name}.py beside the spec, or install it",
        ) from error
    _check_origin(found, module_name, root, key)
    for part in attribute.split("."):
        if not hasattr(found, part):
            raise InputError(f"{key}: {module_name!r} has no {attribute!r}; got {name!r}")
        found = getattr(found, part)
    if not callable(found):
        raise InputError(f"{key}: {name!r} is a {type(found).__name__}; accepted: a function")
    return found


@contextmanager
def _importable_from(root: Path) -> Iterator[None]:
    """The search path with `root` in front, put back as it was even if the module changes it."""
    before = list(sys.path)
    sys.path.insert(0, str(root.resolve()))
    importlib.invalidate_caches()
    try:
        yield
    finally:
        sys.path[:] = before


def _check_origin(module: object, name: str, root: Path, key: str) -> None:
    """A module of that name that was loaded from elsewhere would be audited by mistake."""
    beside = root.resolve().joinpath(*name.split(".")).with_suffix(".py")
    origin = module.__file__ if isinstance(module, ModuleType) else None
    if beside.is_file() and origin is not None and Path(origin).resolve() != beside:
        raise InputError(
            f"{key}: another module {name!r} is already loaded, from {origin}; rename the one beside the spec"
        )


def raised(name: str, error: BaseException) -> str:
    """That an object of the user's own raised an error, in one line.

    Args:
        name: What raised it.
        error: The error; its own message may fail.
    """
    try:
        said = str(error)
    except Exception:  # noqa: BLE001 - an error of the user's own class may fail even at this
        said = "(its message cannot be shown)"
    return one_line(f"{name} raised {type(error).__name__}: {said}")


def one_line(text: str) -> str:
    """A text in one line of at most 200 characters."""
    line = " ".join(text.split())
    return line if len(line) <= _SHOWN_CHARACTERS else line[: _SHOWN_CHARACTERS - 1] + "…"
