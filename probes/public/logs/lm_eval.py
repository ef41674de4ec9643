"""lm-evaluation-harness: the `samples_*.jsonl` files of `lm_eval --log_samples`.

A task that generates holds texts. One that compares likelihoods holds a number for each continuation: the
reply is then the continuation the model finds likeliest, which is how such a task reads an answer.
A sample stands once for each filter; the raw replies are the same each time.
"""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from probes.public.logs.conversations import conversation
from probes.public.logs.entries import LogEntry, Problem, Reply, UnreadableError, cut
from probes.public.logs.lines import objects

__all__ = ["read_samples"]

_NAME = re.compile(r"samples_(?P<task>.+?)(_\d{4}-\d\d-\d\dT[\d.:-]+)?$")
_OURS = frozenset({"arguments", "resps"})


def read_samples(path: Path) -> Iterator[LogEntry | Problem]:
    """Every reply of every sample.

    Raises:
        DataError: The file cannot be read.
    """
    named = _NAME.match(path.stem)
    task = named["task"] if named else None
    for number, row in objects(path):
        if isinstance(row, Problem):
            yield row
            continue
        try:
            asked = _arguments(row["arguments"])
            replies = row["resps"]
            if not isinstance(replies, list) or not replies or len(replies) != len(asked):
                raise UnreadableError(f"resps must be a list, one for each of arguments; got {cut(replies)}")  # noqa: TRY301 - every problem of a row ends below
            found = _generated(replies[0]) if _is_text(replies) else [_likeliest(asked, replies)]
            messages = conversation(_context(asked[0][0]))
        except (KeyError, UnreadableError) as error:
            what = f"lacks {error}" if isinstance(error, KeyError) else str(error)
            yield Problem(row=number, what=f"sample cannot be read: {what}")
            continue
        facts = {key: value for key, value in row.items() if key not in _OURS}
        for repeat, reply in enumerate(found):
            yield LogEntry(
                row=number,
                id=str(row.get("doc_id", number)),
                repeat=repeat,
                messages=messages,
                reply=reply,
                task=task,
                facts=facts,
            )


def _arguments(value: object) -> list[list[object]]:
    """What was asked: `{"gen_args_0": {"arg_0": …}}` in newer versions, a list of lists in older ones."""
    if isinstance(value, Mapping):
        value = [list(one.values()) if isinstance(one, Mapping) else one for one in value.values()]
    if not isinstance(value, list) or not value or not all(isinstance(one, list) and one for one in value):
        raise UnreadableError(f"arguments must hold the context of each request; got {cut(value)}")
    return value


def _context(value: object) -> object:
    """The context of a request; a chat template makes it a list that holds the messages as JSON."""
    return value[0] if isinstance(value, list) and len(value) == 1 and isinstance(value[0], str) else value


def _is_text(replies: Sequence[object]) -> bool:
    first = replies[0]
    return len(replies) == 1 and isinstance(first, list) and all(isinstance(one, str) for one in first)


def _generated(texts: Sequence[str]) -> list[Reply]:
    return [Reply(text=text) for text in texts]


def _likeliest(asked: Sequence[Sequence[object]], replies: Sequence[object]) -> Reply:
    """The continuation with the largest log-likelihood; the first of equal ones, as the harness takes it."""
    likelihoods = [_likelihood(reply) for reply in replies]
    if len(likelihoods) < 2 or len({str(one[0]) for one in asked}) != 1:  # noqa: PLR2004 - a choice has at least two
        raise UnreadableError("a likelihood of one text alone, or of several contexts, is no reply")
    best = likelihoods.index(max(likelihoods))
    return Reply(text=str(asked[best][1]).strip(), finish_reason="likeliest continuation")


def _likelihood(reply: object) -> float:
    while isinstance(reply, list) and reply:
        reply = reply[0]
    try:
        found = float(reply)  # type: ignore[arg-type]  # what is no number raises
    except (TypeError, ValueError) as error:
        raise UnreadableError(f"resps must hold texts or log-likelihoods; got {cut(reply)}") from error
    if math.isnan(found):
        raise UnreadableError("a log-likelihood is no number")
    return found
