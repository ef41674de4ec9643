"""garak: attempts of a `report.jsonl`, and the hits of a `hitlog.jsonl`.

An attempt holds one prompt and several outputs, each with a score of every detector. It stands in the
report twice, before and after detection, so that an output can be met again with more known of it.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path

from probes.public.logs.conversations import conversation, said
from probes.public.logs.entries import LogEntry, Problem, Reply, UnreadableError, cut
from probes.public.logs.lines import objects
from probes.records import Message

__all__ = ["read_hits", "read_report"]

_KNOWN = ("probe_classname", "goal", "intent", "targets", "notes", "probe_params", "buff")


def read_report(path: Path) -> Iterator[LogEntry | Problem]:
    """Every output of every attempt; other entries of the report are no rows.

    Raises:
        DataError: The file cannot be read.
    """
    model: str | None = None
    for number, row in objects(path):
        if isinstance(row, Problem):
            yield row
            continue
        if row.get("entry_type") == "start_run setup":
            model = _model(row)
        elif row.get("entry_type") == "attempt" and row.get("status") != 0:
            yield from _attempt(row, number, model)


def read_hits(path: Path) -> Iterator[LogEntry | Problem]:
    """Every hit: an output that a detector flagged. What was not flagged is not there.

    Raises:
        DataError: The file cannot be read.
    """
    for number, row in objects(path):
        if isinstance(row, Problem):
            yield row
            continue
        try:
            place = row.get("attempt_idx", 0)
            yield LogEntry(
                row=number,
                id=str(row["attempt_id"]),
                repeat=place if isinstance(place, int) and place >= 0 else 0,
                messages=_turns(row.get("prompt")),
                reply=Reply(text=_text(row.get("output")), model=_named(row.get("generator"))),
                task=_named(row.get("probe")),
                facts={key: row[key] for key in ("goal", "detector", "score", "triggers") if key in row},
            )
        except (KeyError, UnreadableError) as error:
            yield Problem(row=number, what=f"is no hit: {error}")


def _attempt(row: Mapping[str, object], number: int, model: str | None) -> Iterator[LogEntry | Problem]:
    outputs = row.get("outputs")
    if not isinstance(outputs, list):
        yield Problem(row=number, what=f"attempt has no list of outputs; got {cut(outputs)}")
        return
    talks = row.get("conversations")
    for place, output in enumerate(outputs):
        try:
            asked = _turns(row.get("prompt"))
            key, repeat = str(row["uuid"]), place
            own = _turns(talks[place]) if isinstance(talks, list) and place < len(talks) else ()
            if len(own) > len(asked) + 1 and own[-1].role == "assistant":
                asked, key, repeat = own[:-1], f"{key}/{place}", 0  # Turns of its own make it another prompt.
            yield LogEntry(
                row=number,
                id=key,
                repeat=repeat,
                messages=asked,
                reply=_reply(output, model),
                task=_named(row.get("probe_classname")),
                facts={
                    **{name: row[name] for name in _KNOWN if name in row},
                    "detector_results": _scores(row.get("detector_results"), place),
                },
            )
        except (KeyError, UnreadableError) as error:
            yield Problem(row=number, what=f"attempt cannot be read: {error}")


def _turns(prompt: object) -> tuple[Message, ...]:
    """A prompt is a text in older versions, and turns in newer ones."""
    if not isinstance(prompt, Mapping):
        return conversation(prompt)
    turns = prompt.get("turns")
    if not isinstance(turns, list):
        return conversation([{"role": "user", "content": _text(prompt)}])
    return conversation(
        [
            {"role": turn.get("role"), "content": _text(turn.get("content"))}
            for turn in turns
            if isinstance(turn, Mapping)
        ]
    )


def _text(value: object) -> str | None:
    return said(value.get("text")) if isinstance(value, Mapping) else said(value)


def _reply(output: object, model: str | None) -> Reply:
    text = _text(output)
    if text is None:
        return Reply(error="garak recorded no output", model=model)
    return Reply(text=text, model=model)


def _scores(results: object, place: int) -> dict[str, object]:
    """Each detector's score of one output."""
    if not isinstance(results, Mapping):
        return {}
    return {
        str(name): scores[place]
        for name, scores in results.items()
        if isinstance(scores, list) and place < len(scores)
    }


def _model(row: Mapping[str, object]) -> str | None:
    for key in ("plugins.target_name", "plugins.model_name"):
        if isinstance(row.get(key), str) and row[key]:
            return str(row[key])
    return None


def _named(value: object) -> str | None:
    return value if isinstance(value, str) and value else None
