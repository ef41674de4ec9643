"""Secrets that a target needs: held by environment variables, which must be set before anything is asked."""

from collections.abc import Mapping

from audit.targets.base import FatalTargetError

__all__ = ["require_variables"]


def require_variables(place: str, secrets: Mapping[str, str], options: Mapping[str, str]) -> None:
    """Refuse to ask without a secret that the spec names.

    Args:
        place: What would be asked, for the message.
        secrets: Values by the name of their variable; an empty one is not set.
        options: By the same names: the option of the spec that names the variable.

    Raises:
        FatalTargetError: A variable is not set.
    """
    for variable, value in secrets.items():
        if not value:
            raise FatalTargetError(
                f"{place}: environment variable {variable} is not set; set it, or remove {options[variable]}"
            )
