"""OpenAI-shaped JSONL: stored chat completions, Responses, and the output files of the Batch API.

A stored completion or response carries its own prompt only if whoever exported it put it there, under
`messages`, `input`, or `request`; a batch's output has none. Such rows answer the prompts of a plan by id.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from probes.public.logs.conversations import conversation, said
from probes.public.logs.entries import LogEntry, Problem, Reply, UnreadableError, cut, whole
from probes.public.logs.lines import objects
from probes.records import Message, storable

__all__ = ["read_objects"]

_SUCCESS = range(200, 300)
_BULKY = frozenset({"choices", "output", "messages", "input", "response", "request", "body"})


def read_objects(path: Path) -> Iterator[LogEntry | Problem]:
    """Every reply; a row may hold several choices, and pages of `{"object": "list"}` are unfolded.

    Raises:
        DataError: The file cannot be read.
    """
    for number, row in objects(path):
        if isinstance(row, Problem):
            yield row
            continue
        listed = row.get("data") if row.get("object") == "list" else None
        for one in listed if isinstance(listed, list) else [row]:
            try:
                yield from _entries(_object(one), number)
            except (KeyError, UnreadableError) as error:
                what = f"lacks {error}" if isinstance(error, KeyError) else str(error)
                yield Problem(row=number, what=f"reply cannot be read: {what}")


def _entries(row: Mapping[str, object], number: int) -> Iterator[LogEntry]:
    body, key = row, row.get("id")
    failed: str | None = None
    if "custom_id" in row:
        key = row["custom_id"]
        body, failed = _batched(row)
    if not isinstance(key, str | int) or key == "":
        raise UnreadableError(f"id must be a text; got {cut(key)}")
    messages = _asked(row, body)
    facts = {
        **{name: value for name, value in body.items() if name not in _BULKY},
        **{name: value for name, value in row.items() if name not in _BULKY},
    }
    replies = [Reply(error=failed)] if failed is not None else _replies(body)
    for repeat, reply in enumerate(replies):
        yield LogEntry(
            row=number, id=str(key), repeat=repeat, messages=messages, reply=reply, task=None, facts=facts
        )


def _batched(row: Mapping[str, object]) -> tuple[Mapping[str, object], str | None]:
    """The body of a batch's reply, and why there is none."""
    response = row.get("response")
    if row.get("error") is not None or not isinstance(response, Mapping):
        return {}, _error_text(row.get("error")) or "the batch holds no response"
    body = response.get("body")
    status = response.get("status_code")
    if not isinstance(body, Mapping):
        return {}, f"the batch holds no body; status {cut(status)}"
    if isinstance(status, int) and status not in _SUCCESS:
        return body, _error_text(body.get("error")) or f"status {status}"
    return body, None


def _replies(body: Mapping[str, object]) -> list[Reply]:
    if isinstance(body.get("choices"), list):
        return [_choice(_object(one), body) for one in _items(body["choices"])]
    if isinstance(body.get("output"), list):
        return [_response(body)]
    raise UnreadableError("has neither choices nor output")


def _choice(choice: Mapping[str, object], body: Mapping[str, object]) -> Reply:
    message = _object(choice["message"])
    usage = body.get("usage")
    counted: Mapping[str, object] = usage if isinstance(usage, Mapping) else {}
    return Reply(
        text=said(message.get("content")),
        refusal=_text(message.get("refusal")),
        finish_reason=_text(choice.get("finish_reason")),
        model=_text(body.get("model")),
        prompt_tokens=whole(counted.get("prompt_tokens")),
        completion_tokens=whole(counted.get("completion_tokens")),
        request_id=_text(body.get("id")),
    )


def _response(body: Mapping[str, object]) -> Reply:
    texts: list[str] = []
    refusals: list[str] = []
    for item in _items(body["output"]):
        content = _object(item).get("content") if _object(item).get("type") == "message" else None
        for part in content if isinstance(content, list) else []:
            is_refusal = isinstance(part, Mapping) and part.get("type") == "refusal"
            (refusals if is_refusal else texts).append(
                str(part.get("refusal")) if is_refusal else said([part]) or ""
            )
    usage = body.get("usage")
    counted: Mapping[str, object] = usage if isinstance(usage, Mapping) else {}
    incomplete = body.get("incomplete_details")
    reason = incomplete.get("reason") if isinstance(incomplete, Mapping) else None
    return Reply(
        text="\n".join(texts) if texts else None,
        error=_error_text(body.get("error")) if body.get("error") is not None else None,
        refusal="\n".join(refusals) or None,
        finish_reason="length" if reason == "max_output_tokens" else _text(reason),
        model=_text(body.get("model")),
        prompt_tokens=whole(counted.get("input_tokens")),
        completion_tokens=whole(counted.get("output_tokens")),
        request_id=_text(body.get("id")),
    )


def _asked(row: Mapping[str, object], body: Mapping[str, object]) -> tuple[Message, ...]:
    """The prompt, wherever an export keeps it; empty if it is not there."""
    request = row.get("request")
    places: list[Mapping[str, object]] = [row, body]
    if isinstance(request, Mapping):
        inner = request.get("body")
        places += [request, inner] if isinstance(inner, Mapping) else [request]
    for place in places:
        for name in ("messages", "input"):
            if place.get(name):
                instructions = place.get("instructions")
                first: tuple[Message, ...] = ()
                if isinstance(instructions, str) and instructions:
                    first = (Message(role="system", content=storable(instructions)),)
                return first + _without_reply(conversation(place[name]))
    return ()


def _without_reply(messages: tuple[Message, ...]) -> tuple[Message, ...]:
    """A conversation that is kept with its reply, without it."""
    return messages[:-1] if len(messages) > 1 and messages[-1].role == "assistant" else messages


def _items(value: object) -> Sequence[object]:
    if not isinstance(value, list) or not value:
        raise UnreadableError(f"choices or output must hold something; got {cut(value)}")
    return value


def _object(value: object) -> Mapping[str, object]:
    if not isinstance(value, Mapping):
        raise UnreadableError(f"must be an object; got {cut(value)}")
    return value


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _error_text(value: object) -> str | None:
    if isinstance(value, Mapping):
        value = value.get("message") or value.get("code")
    return None if value is None else str(value)
