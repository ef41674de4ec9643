"""Chat completions through the real SDK."""

import openai
import pytest

from tests.audit.serving.conftest import ASKED


def _said(client: openai.OpenAI, model: str, *, seed: int | None = None, text: str = ASKED) -> str:
    done = client.chat.completions.create(
        model=model,
        messages=[{"role": "user", "content": text}],
        extra_body={} if seed is None else {"seed": seed},
    )
    return done.choices[0].message.content or ""


def test_a_completion_has_the_documented_shape_with_usage(client: openai.OpenAI) -> None:
    """What a client may read of a completion is there, and the tokens add up."""
    done = client.chat.completions.create(
        model="specimen", messages=[{"role": "user", "content": ASKED}], n=3, seed=5
    )
    assert (done.object, done.model, len(done.choices)) == ("chat.completion", "specimen", 3)
    assert [choice.index for choice in done.choices] == [0, 1, 2]
    assert {choice.finish_reason for choice in done.choices} == {"stop"}
    assert all(choice.message.content for choice in done.choices)
    assert done.usage is not None
    assert done.usage.total_tokens == done.usage.prompt_tokens + done.usage.completion_tokens > 30


def test_the_same_seed_gives_the_same_answer_and_no_seed_draws_anew(client: openai.OpenAI) -> None:
    """A client decides by its seed whether it repeats an answer or draws another."""
    assert len({_said(client, "specimen", seed=11) for _ in range(4)}) == 1
    assert len({_said(client, "specimen", seed=seed) for seed in range(8)}) > 1
    assert len({_said(client, "specimen") for _ in range(8)}) > 1


def test_temperature_0_always_says_the_same(client: openai.OpenAI) -> None:
    """Without sampling there is one answer, whatever the seed."""
    said = {
        client.chat.completions.create(
            model="specimen", messages=[{"role": "user", "content": ASKED}], temperature=0, seed=seed
        )
        .choices[0]
        .message.content
        for seed in range(6)
    }
    assert len(said) == 1


@pytest.mark.parametrize("name", ["max_tokens", "max_completion_tokens"])
def test_both_limits_of_tokens_cut_an_answer(client: openai.OpenAI, name: str) -> None:
    """A limit under either name ends the answer with finish reason length."""
    done = client.chat.completions.create(
        model="specimen", messages=[{"role": "user", "content": ASKED}], extra_body={name: 1}
    )
    assert done.choices[0].finish_reason == "length"
    assert done.usage is not None
    assert done.usage.completion_tokens == 1


def test_a_stop_sequence_ends_an_answer(client: openai.OpenAI) -> None:
    """What follows a stop sequence is not said, nor is the sequence."""
    done = client.chat.completions.create(
        model="specimen", messages=[{"role": "user", "content": ASKED}], stop=".", seed=5
    )
    assert "." not in (done.choices[0].message.content or "")
    assert done.choices[0].finish_reason == "stop"


def test_a_stream_says_what_the_completion_says(client: openai.OpenAI) -> None:
    """The pieces of a stream join to the answer, and its last chunk holds the usage."""
    whole = _said(client, "specimen", seed=2)
    stream = client.chat.completions.create(
        model="specimen",
        messages=[{"role": "user", "content": ASKED}],
        seed=2,
        stream=True,
        stream_options={"include_usage": True},
    )
    chunks = list(stream)
    pieces = [chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices]
    assert "".join(pieces) == whole
    assert len(pieces) > 3
    assert chunks[-2].choices[0].finish_reason == "stop"
    assert chunks[-1].usage is not None


def test_options_in_a_name_are_the_faults_of_the_model(client: openai.OpenAI) -> None:
    """A variant of the specimen is asked for by its name alone."""
    yes = [_said(client, "specimen?favourable_rate=1", seed=seed).lower() for seed in range(10)]
    no = [_said(client, "specimen?favourable_rate=0", seed=seed).lower() for seed in range(10)]
    assert all("yes" in said for said in yes)
    assert all("no" in said.replace("know", "") and "yes" not in said for said in no)


def test_the_trainable_model_heeds_the_temperature(client: openai.OpenAI) -> None:
    """The learned lender answers, and at temperature 0 it takes the likelier option always."""
    said = {
        client.chat.completions.create(
            model="trainable", messages=[{"role": "user", "content": ASKED}], temperature=0, seed=seed
        )
        .choices[0]
        .message.content
        for seed in range(5)
    }
    assert len(said) == 1


@pytest.mark.parametrize(
    ("body", "param", "code"),
    [
        ({"model": "specimen"}, "messages", "missing_required_parameter"),
        ({"model": "specimen", "messages": []}, "messages", "invalid_value"),
        (
            {"model": "specimen", "messages": [{"role": "x", "content": "a"}]},
            "messages[0].role",
            "invalid_value",
        ),
        (
            {"model": "specimen", "messages": [{"role": "user", "content": [{"type": "image_url"}]}]},
            "messages[0].content",
            "invalid_type",
        ),
        ({"model": "specimen", "messages": [{"role": "user", "content": "a"}], "n": 0}, "n", "invalid_value"),
    ],
)
def test_a_malformed_request_is_refused_as_the_real_api_does(
    client: openai.OpenAI, body: dict[str, object], param: str, code: str
) -> None:
    """A mistake gets status 400 with the parameter and the code."""
    with pytest.raises(openai.BadRequestError) as raised:
        client.post("/chat/completions", body=body, cast_to=object)
    assert (raised.value.param, raised.value.code) == (param, code)


@pytest.mark.parametrize(
    "model", ["absent", "specimen?gaps.sex.female=1", "faulty?rate=1", "specimen?empty_rate"]
)
def test_a_name_that_stands_for_nothing_is_not_found(client: openai.OpenAI, model: str) -> None:
    """An unknown name, and an option that is none, get status 404."""
    with pytest.raises(openai.NotFoundError) as raised:
        _said(client, model)
    assert raised.value.code == "model_not_found"


def test_every_listed_model_says_what_it_is(client: openai.OpenAI) -> None:
    """Each name is listed with a sentence, and can be looked up."""
    listed = list(client.models.list())
    names = {model.id for model in listed}
    assert {"specimen", "specimen-unbiased", "trainable", "faulty", "hostile"} <= names
    assert all(getattr(model, "description", "") for model in listed)
    assert client.models.retrieve("specimen?gaps.gender.female=-0.1").object == "model"
