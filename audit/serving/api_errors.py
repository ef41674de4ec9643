"""Errors as an OpenAI-compatible server sends them: a status, and an object that says what was wrong."""

from collections.abc import Mapping

from pydantic import JsonValue, ValidationError

__all__ = [
    "ApiError",
    "ConnectionCutError",
    "invalid",
    "model_not_found",
    "not_found",
    "own_fault",
    "refused_body",
]

_BAD_REQUEST = 400
_NOT_FOUND = 404
_INVALID = "invalid_request_error"


class ApiError(Exception):
    """A request is answered with a failing status."""

    def __init__(  # noqa: PLR0913 - the fields of the documented error object
        self,
        status: int,
        message: str,
        *,
        kind: str = _INVALID,
        code: str | None = None,
        param: str | None = None,
        headers: Mapping[str, str] | None = None,
        further: Mapping[str, JsonValue] | None = None,
    ) -> None:
        """Keep what is sent.

        Args:
            status: HTTP status, 400 or more.
            message: For people.
            kind: `type` of the error object.
            code: `code` of the error object.
            param: Which parameter was wrong.
            headers: Further response headers, such as `Retry-After`.
            further: Further keys of the error object, such as Azure's `innererror`.
        """
        super().__init__(message)
        self.status = status
        self.headers = dict(headers or {})
        self.body: dict[str, JsonValue] = {
            "error": {"message": message, "type": kind, "param": param, "code": code, **(further or {})}
        }

    @property
    def code(self) -> str:
        """`code` of the error object, or its `type` if it has none."""
        error = self.body["error"]
        fields = error if isinstance(error, dict) else {}
        return str(fields.get("code") or fields.get("type"))


class ConnectionCutError(Exception):
    """The connection is closed without an answer, as a proxy or a crashed server does it."""


def invalid(message: str, *, param: str | None = None, code: str | None = "invalid_value") -> ApiError:
    """A request that cannot be served as it stands."""
    return ApiError(_BAD_REQUEST, message, param=param, code=code)


def own_fault(error: Exception) -> ApiError:
    """What a client is told of a fault that nobody foresaw: its kind only, the rest stands in the log."""
    return ApiError(500, f"This server has a fault of its own: {type(error).__name__}.", kind="server_error")


def not_found(what: str, name: str, *, param: str = "id") -> ApiError:
    """An object that does not exist.

    Args:
        what: Kind of object, such as `File`.
        name: Its id as asked for.
        param: Which parameter named it.
    """
    return ApiError(_NOT_FOUND, f"No such {what} object: {name}", param=param)


def model_not_found(name: str, reason: str = "") -> ApiError:
    """A model name that stands for nothing here."""
    said = f"The model `{name}` does not exist or you do not have access to it."
    return ApiError(_NOT_FOUND, f"{said} {reason}".strip(), code="model_not_found", param="model")


def refused_body(error: ValidationError) -> ApiError:
    """The answer to a JSON body that is not as documented; names the first problem."""
    problem = error.errors(include_url=False, include_context=False)[0]
    param = _path(problem["loc"])
    if problem["type"] == "missing":
        return invalid(
            f"Missing required parameter: '{param}'.", param=param, code="missing_required_parameter"
        )
    if problem["type"] == "extra_forbidden":
        return invalid(f"Unknown parameter: '{param}'.", param=param, code="unknown_parameter")
    kind = "invalid_type" if problem["type"].endswith("_type") else "invalid_value"
    said = problem["msg"].removeprefix("Value error, ")
    if not param:
        return invalid(f"We could not parse the JSON body of your request: {said}.", code=None)
    return invalid(f"Invalid value for '{param}': {said}.", param=param, code=kind)


def _path(location: tuple[int | str, ...]) -> str:
    parts = ""
    for part in location:
        if part == "str" or (isinstance(part, str) and "[" in part):
            continue  # which of several shapes was tried, and no key
        parts += f"[{part}]" if isinstance(part, int) else f".{part}" if parts else part
    return parts
