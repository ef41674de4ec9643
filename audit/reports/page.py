"""The safe ground every HTML page stands on: everything escaped, one style sheet admitted by its hash."""

import base64
import hashlib

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from audit.reports.words import printable

__all__ = ["page_environment", "style_of"]


def page_environment(package: str) -> Environment:
    """A template environment in which nothing from outside gets into a page unescaped.

    What would be invisible or reorder its neighbours is shown by its code, and a name that a
    template misspells is an error.

    Args:
        package: Package whose folder `templates` holds the templates.
    """
    return Environment(
        loader=PackageLoader(package),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        finalize=_finalized,
    )


def style_of(environment: Environment, name: str) -> dict[str, str]:
    """A style sheet as `style`, and as `style_hash` the SHA-256 by which a content security policy admits it.

    Args:
        environment: Made by `page_environment`.
        name: File of the style sheet, one of our own.
    """
    style = environment.loader.get_source(environment, name)[0] if environment.loader else ""
    return {
        "style": Markup(style),  # noqa: S704 - our own file, and the policy admits it by its hash
        "style_hash": base64.b64encode(hashlib.sha256(style.encode()).digest()).decode(),
    }


def _finalized(value: object) -> object:
    """Every value on its way into the page: safe markup as it is, everything else as a printable text."""
    return value if isinstance(value, Markup) else printable(str(value))
