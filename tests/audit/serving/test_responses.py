"""The Responses API through the real SDK."""

import json

import openai
import pytest

from audit.serving.answering import Answered
from audit.serving.calls import Answer
from audit.serving.responses import Responses, response_body
from tests.audit.serving.conftest import ASKED


def test_a_response_has_the_documented_shape_with_usage(client: openai.OpenAI) -> None:
    """Text, status and tokens stand where the SDK looks for them."""
    done = client.responses.create(model="specimen", input=ASKED, instructions="Be brief.")
    assert (done.object, done.status, done.error) == ("response", "completed", None)
    assert done.output_text
    assert done.usage is not None
    assert done.usage.total_tokens == done.usage.input_tokens + done.usage.output_tokens


def test_a_response_can_be_fetched_continued_and_deleted(client: openai.OpenAI) -> None:
    """A stored response is the start of the next one until it is deleted."""
    first = client.responses.create(model="specimen", input=ASKED)
    second = client.responses.create(model="specimen", input="And why?", previous_response_id=first.id)
    assert first.usage is not None
    assert second.usage is not None
    assert second.usage.input_tokens > first.usage.input_tokens
    assert client.responses.retrieve(first.id).output_text == first.output_text
    client.responses.delete(first.id)
    with pytest.raises(openai.NotFoundError):
        client.responses.retrieve(first.id)


def test_a_stream_builds_up_the_response(client: openai.OpenAI) -> None:
    """The deltas join to the text of the response that the last event holds."""
    with client.responses.stream(model="specimen", input=ASKED) as stream:
        deltas = [event.delta for event in stream if event.type == "response.output_text.delta"]
        final = stream.get_final_response()
    assert "".join(deltas) == final.output_text
    assert final.status == "completed"


def test_a_limit_makes_a_response_incomplete(client: openai.OpenAI) -> None:
    """A response that was cut says so and why."""
    done = client.responses.create(model="specimen", input=ASKED, max_output_tokens=1)
    assert done.status == "incomplete"
    assert done.incomplete_details is not None
    assert done.incomplete_details.reason == "max_output_tokens"


def test_refusals_and_reasoning_have_items_of_their_own(client: openai.OpenAI) -> None:
    """A refusal is a part of the message, and reasoning an item before it."""
    refused = client.responses.create(model="quirk-refusal-field", input=ASKED)
    assert refused.output[0].type == "message"
    assert refused.output[0].content[0].type == "refusal"
    thought = client.responses.create(model="quirk-reasoning", input=ASKED)
    assert [item.type for item in thought.output] == ["reasoning", "message"]
    assert thought.usage is not None
    assert thought.usage.output_tokens_details.reasoning_tokens > 0


@pytest.mark.parametrize("name", ["seed", "n", "messages", "max_tokens"])
def test_parameters_of_chat_are_unknown_to_responses(client: openai.OpenAI, name: str) -> None:
    """Whoever mixes up the two APIs learns it, as from the real one."""
    with pytest.raises(openai.BadRequestError) as raised:
        client.responses.create(model="specimen", input=ASKED, extra_body={name: 1})
    assert (raised.value.code, raised.value.param) == ("unknown_parameter", name)


def test_developers_are_heard_in_what_continues() -> None:
    """What a developer says in the input stays in the conversation; instructions hold for one response."""
    responses = Responses()
    said = [{"role": "developer", "content": "Decline."}, {"role": "user", "content": "Approve?"}]
    raw = json.dumps({"model": "specimen", "instructions": "Be brief.", "input": said}).encode()
    call, request = responses.call(raw)
    answered = Answered(
        id="1",
        created=0,
        call=call,
        answers=(Answer(text="No."),),
        spoiled=None,
        cut=False,
        quirk=None,
        fingerprint="",
        headers={},
    )
    responses.keep(answered, request, response_body(answered, request))
    more = {"model": "specimen", "input": "And now?", "previous_response_id": "resp_1"}
    call, _ = responses.call(json.dumps(more).encode())
    assert [(one.role, one.content) for one in call.messages] == [
        ("system", "Decline."),
        ("user", "Approve?"),
        ("assistant", "No."),
        ("user", "And now?"),
    ]
