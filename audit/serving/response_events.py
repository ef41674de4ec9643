"""`/v1/responses` as a stream: the events that build up a response."""

import json
from collections.abc import Iterator

from pydantic import JsonValue

from audit.serving.calls import split_tokens

__all__ = ["response_events"]

_KINDS = {"output_text": ("output_text", "text"), "refusal": ("refusal", "refusal")}


def response_events(body: dict[str, JsonValue]) -> Iterator[bytes]:
    """The events of a stream, in the order of the real one.

    Args:
        body: The whole response.
    """
    started: dict[str, JsonValue] = {**body, "status": "in_progress", "output": [], "usage": None}
    events: list[dict[str, JsonValue]] = [
        {"type": "response.created", "response": started},
        {"type": "response.in_progress", "response": started},
    ]
    output = body["output"]
    for place, item in enumerate(output if isinstance(output, list) else ()):
        if isinstance(item, dict):
            events += _item_events(item, place)
    end = "response.completed" if body["status"] == "completed" else "response.incomplete"
    events.append({"type": end, "response": body})
    for number, event in enumerate(events):
        yield f"event: {event['type']}\ndata: {json.dumps({**event, 'sequence_number': number})}\n\n".encode()


def _item_events(item: dict[str, JsonValue], place: int) -> Iterator[dict[str, JsonValue]]:
    parts = item.get("content")
    added: dict[str, JsonValue] = {**item, "status": "in_progress"}
    if isinstance(parts, list):
        added["content"] = []
    yield {"type": "response.output_item.added", "output_index": place, "item": added}
    for index, part in enumerate(parts if isinstance(parts, list) else ()):
        if isinstance(part, dict):
            where: dict[str, JsonValue] = {
                "item_id": item["id"],
                "output_index": place,
                "content_index": index,
            }
            yield from _part_events(part, where)
    yield {"type": "response.output_item.done", "output_index": place, "item": item}


def _part_events(part: dict[str, JsonValue], where: dict[str, JsonValue]) -> Iterator[dict[str, JsonValue]]:
    kind, key = _KINDS[str(part["type"])]
    text = str(part[key])
    further: dict[str, JsonValue] = {"logprobs": []} if kind == "output_text" else {}
    yield {"type": "response.content_part.added", **where, "part": {**part, key: ""}}
    for token in split_tokens(text):
        yield {"type": f"response.{kind}.delta", **where, "delta": token, **further}
    yield {"type": f"response.{kind}.done", **where, key: text, **further}
    yield {"type": "response.content_part.done", **where, "part": part}
