"""What tells one call from another."""

import json

import pytest

from audit.serving.chat import chat_call


def key(**changed: object) -> str:
    """Key of a chat completion."""
    body = {"model": "specimen", "messages": [{"role": "user", "content": "Hi"}], "seed": 1, **changed}
    return chat_call(json.dumps(body).encode())[0].key


@pytest.mark.parametrize(
    "changed",
    [
        {"temperature": 1},
        {"max_tokens": 5},
        {"max_completion_tokens": 5},
        {"stop": "x"},
        {"n": 3},
        {"seed": 2},
        {"model": "specimen-unbiased"},
    ],
)
def test_whatever_changes_an_answer_makes_another_call(changed: dict[str, object]) -> None:
    """A client that asks with another temperature or limit has not asked the same twice."""
    assert key(**changed) != key()


def test_the_same_call_and_its_stream_are_one() -> None:
    """How the answer is sent does not matter."""
    assert key(stream=True) == key() == key()
