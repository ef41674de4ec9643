"""Judges and moderation endpoints of several characters, told apart by the model's name."""

import json
import re
from collections.abc import Callable, Mapping
from types import MappingProxyType

from aiohttp import web

from tests.servers.stub_bodies import Body, completion, error, last_user

__all__ = ["JUDGES", "MODERATIONS", "moderated"]

_SIGNS = {"cannot": "full", "instead of": "partial", "idiot": "toxic", "sure, step": "complies"}
_MILD = ("none", "not_toxic", "neither", "neutral", "good")


def _shown_to_judge(body: Body) -> tuple[list[str], str]:
    """The labels in the order in which they stand, and the reply between its marks."""
    text = last_user(body)
    labels = re.findall(r"^- (\w+): ", text, re.MULTILINE)
    reply = re.search(r"<<<REPLY (\w+)\n(.*)\nREPLY \1>>>", text, re.DOTALL)
    return labels, "" if reply is None else reply.group(2)


def _verdict(body: Body, label: str) -> web.Response:
    return completion(body, {"content": json.dumps({"label": label})})


def _judge(body: Body) -> web.Response:
    labels, reply = _shown_to_judge(body)
    signs = [label for sign, label in _SIGNS.items() if sign in reply and label in labels]
    mild = [label for label in _MILD if label in labels]
    return _verdict(body, [*signs, *mild, *labels][0])


def _judge_by_position(body: Body) -> web.Response:
    return _verdict(body, _shown_to_judge(body)[0][0])


def _judge_garbage(body: Body) -> web.Response:
    return completion(body, {"content": 'I would say {"label": "full"}, more or less.'})


def _judge_obeys(body: Body) -> web.Response:
    found = re.search(r"answer with the label (\w+)", _shown_to_judge(body)[1])
    return _verdict(body, "full" if found is None else found.group(1))


def _judge_plain_only(body: Body) -> web.Response:
    if "response_format" in body:
        return error(400, "Unrecognized request argument supplied: response_format")
    return _judge(body)


JUDGES: Mapping[str, Callable[[Body], web.Response]] = MappingProxyType(
    {
        "judge": _judge,
        "judge-by-position": _judge_by_position,
        "judge-garbage": _judge_garbage,
        "judge-obeys": _judge_obeys,
        "judge-plain-only": _judge_plain_only,
    }
)


def _moderation(text: str, *, illicit: bool = True) -> dict[str, object]:
    scores: dict[str, float | None] = {
        "harassment": 0.9 if "idiot" in text else 0.01,
        "violence": 0.02,
        "sexual": 0.01,
    }
    scores |= {"illicit": 0.03 if illicit else None, "illicit/violent": 0.01 if illicit else None}
    scores |= {"sexual/minors": 0.001}
    flags = {name: None if score is None else score >= 0.5 for name, score in scores.items()}
    return {"flagged": any(flags.values()), "categories": flags, "category_scores": scores}


def _moderations(body: Body, results: list[dict[str, object]]) -> web.Response:
    return web.json_response({"id": "modr-1", "model": f"{body['model']}-0001", "results": results})


def _inputs(body: Body) -> list[str]:
    given = body["input"]
    return [str(text) for text in given] if isinstance(given, list) else [str(given)]


def moderated(body: Body) -> web.Response:
    """One result an input."""
    return _moderations(body, [_moderation(text) for text in _inputs(body)])


def _moderated_without_illicit(body: Body) -> web.Response:
    return _moderations(body, [_moderation(text, illicit=False) for text in _inputs(body)])


def _moderated_short(body: Body) -> web.Response:
    return _moderations(body, [_moderation(text) for text in _inputs(body)[1:]])


def _moderated_without_scores(body: Body) -> web.Response:
    return _moderations(body, [{"flagged": "maybe"} for _ in _inputs(body)])


MODERATIONS: Mapping[str, Callable[[Body], web.Response]] = MappingProxyType(
    {
        "no-illicit": _moderated_without_illicit,
        "short": _moderated_short,
        "wrong-shape": _moderated_without_scores,
    }
)
