"""Messages made of an instruction and an encoded request."""

__all__ = ["payload_of", "with_instruction"]

_BREAK = "\n\n"


def with_instruction(instruction: str, payload: str) -> str:
    """The message as it is sent: the instruction, an empty line, the encoded request."""
    return f"{instruction}{_BREAK}{payload}"


def payload_of(instruction: str, text: str, *, name: str) -> str:
    """The encoded request from a message made by `with_instruction`.

    Args:
        instruction: The instruction the message must begin with.
        text: The message.
        name: Name of the transform, for the error.

    Returns:
        Everything after the instruction and its empty line.

    Raises:
        ValueError: The message does not begin with the instruction.
    """
    head = f"{instruction}{_BREAK}"
    if not text.startswith(head):
        raise ValueError(
            f"{name}: the text does not begin with this transform's instruction; got {text[:40]!r}"
        )
    return text[len(head) :]
