"""Plain text: nothing that a tokenizer, a terminal or an editor takes for more than words.

A model that is audited may be hostile, or may simply run on past its turn. What it writes becomes training
data where its own answers are used, and a chat template that finds `<|im_start|>system` in an answer reads it
as another speaker.
"""

import re

from audit.retraining.gates.base import Gate
from audit.retraining.records import Example

__all__ = ["plain_text"]

_CONTROL = r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufffe\uffff\U000e0000-\U000e007f]"
"""Control characters but tab and line ends, those that reorder what is shown, and invisible tags."""
_MARKUP = (
    r"<\|[^<>|\s]{1,60}\|>",  # ChatML, Llama 3, GPT, Phi, Qwen, Kimi
    "<｜[^<>｜\\s]{1,60}｜>",  # noqa: RUF001 - DeepSeek's wide bars
    r"\[/?(?:INST|SYSTEM_PROMPT|TOOL_CALLS|TOOL_RESULTS|AVAILABLE_TOOLS)\]",  # Mistral, Llama 2
    r"<</?SYS>>",
    r"</?(?:s|bos|eos|pad|unk|think|tool_call|tool_response|start_of_turn|end_of_turn)>",
    r"<extra_id_\d{1,3}>",
)
"""Special tokens of the chat templates and tokenizers in use."""
_NOT_PLAIN = re.compile("|".join((_CONTROL, *_MARKUP)), re.IGNORECASE)


def plain_text() -> Gate:
    """Refuses examples of which any part holds control characters or the markup of chat templates."""
    return Gate(
        name="plain-text",
        rule="control characters and the markup of chat templates, in request or answer",
        reason=_reason,
    )


def _reason(example: Example) -> str | None:
    parts = [("the request", message.content) for message in example.messages]
    parts.append(("the answer", example.answer))
    if example.rejected is not None:
        parts.append(("the rejected answer", example.rejected))
    for where, text in parts:
        found = _NOT_PLAIN.search(text)
        if found is not None:
            return f"{where} holds {found[0]!a}"
    return None
