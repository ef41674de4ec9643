"""promptfoo: the results of `promptfoo eval -o results.json` and `-o results.jsonl`.

Every repetition of a test case is a test case of its own there, so each is a conversation of its own here;
conversations worded alike share a cluster unless the spec says otherwise.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from probes.errors import DataError
from probes.public.logs.conversations import conversation, said
from probes.public.logs.documents import DamagedError, Document
from probes.public.logs.entries import LogEntry, Problem, Reply, UnreadableError, cut, number, whole
from probes.public.logs.lines import objects

__all__ = ["read_promptfoo"]

_FAILED = 2
"""`failureReason` of a case whose provider failed; 1 is an assertion that did not hold of a reply."""
_KNOWN = ("vars", "metadata", "score", "success", "namedScores", "failureReason", "testIdx", "promptIdx")


def read_promptfoo(path: Path) -> Iterator[LogEntry | Problem]:
    """Every test case with the reply it had.

    Raises:
        DataError: The file cannot be read.
    """
    rows = _document(path) if path.suffix.lower() == ".json" else objects(path)
    for place, row in rows:
        yield row if isinstance(row, Problem) else _entry(row, place)


def _document(path: Path) -> Iterator[tuple[int, dict[str, object] | Problem]]:
    place = 0
    try:
        with path.open(encoding="utf-8-sig") as handle:
            document = Document(handle)
            document.enter(("results", "results"))
            for row in document.elements():
                place += 1
                if isinstance(row, dict):
                    yield place, row
                else:
                    yield place, Problem(row=place, what=f"must be an object; got {cut(row)}")
    except DamagedError as error:
        yield place + 1, Problem(row=place + 1, what=f"{error}; what follows it is lost")
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror or error}") from error


def _entry(row: Mapping[str, object], place: int) -> LogEntry | Problem:
    try:
        prompt = row["prompt"]
        provider = _mapping(row.get("provider"))
        case = _mapping(row.get("testCase"))
        return LogEntry(
            row=place,
            id=f"{row['testIdx']}/{row['promptIdx']}",
            messages=conversation(prompt.get("raw") if isinstance(prompt, Mapping) else prompt),
            reply=_reply(row, _text(provider.get("id"))),
            task=_text(case.get("description")),
            facts={
                **{name: row[name] for name in _KNOWN if name in row},
                "provider": provider.get("id"),
                "label": _mapping(prompt).get("label"),
            },
        )
    except (KeyError, UnreadableError) as error:
        what = f"lacks {error}" if isinstance(error, KeyError) else str(error)
        return Problem(row=place, what=f"test case cannot be read: {what}")


def _reply(row: Mapping[str, object], model: str | None) -> Reply:
    response = _mapping(row.get("response"))
    output = response.get("output")
    if row.get("failureReason") == _FAILED or output is None:
        said_of_it = response.get("error") or row.get("error") or "promptfoo recorded no output"
        return Reply(error=str(said_of_it), model=model)
    if not isinstance(output, str):
        # A provider or transform that gives parsed JSON: the text it was made from is not kept.
        output = said(output) if isinstance(output, list) else json.dumps(output, ensure_ascii=False)
    usage = _mapping(response.get("tokenUsage"))
    milliseconds = number(row.get("latencyMs"))
    return Reply(
        text=output,
        model=model,
        finish_reason=_text(response.get("finishReason")),
        refusal="promptfoo recorded a refusal" if response.get("isRefusal") is True and not output else None,
        prompt_tokens=whole(usage.get("prompt")),
        completion_tokens=whole(usage.get("completion")),
        latency_s=None if milliseconds is None else milliseconds / 1000,
    )


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, Mapping) else {}


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None
