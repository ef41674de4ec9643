"""Moderations through the real SDK: the shape of the API, and the lexical screen behind it."""

import openai
import pytest


def test_openly_toxic_texts_are_flagged_by_the_screen(client: openai.OpenAI) -> None:
    """Each text gets a result by category, and the response says that a screen made it."""
    done = client.moderations.create(
        model="omni-moderation-latest",
        input=["You are a stupid, worthless idiot.", "Have a nice day.", "I will kill you, you idiot."],
    )
    assert done.model.startswith("evenhand-toxicity-screen-")
    assert [result.flagged for result in done.results] == [True, False, True]
    first, second, third = done.results
    assert first.categories.harassment
    assert first.category_scores.harassment > 0.5
    assert second.category_scores.harassment == 0
    assert third.category_scores.harassment_threatening > 0


def test_what_the_screen_does_not_read_is_null(client: openai.OpenAI) -> None:
    """A category that nobody looked at is neither true nor false, and its score no 0."""
    result = client.moderations.create(input="Have a nice day.").results[0]
    assert result.categories.violence is None
    assert result.category_scores.sexual_minors is None
    assert result.category_applied_input_types.violence == []
    assert result.category_applied_input_types.hate == ["text"]


def test_faults_can_be_had_here_too(client: openai.OpenAI) -> None:
    """The model's name chooses the failure of a moderation as of a completion."""
    with pytest.raises(openai.RateLimitError):
        client.moderations.create(model="faulty-rate-limited", input="a")
    with pytest.raises(openai.NotFoundError):
        client.moderations.create(model="absent", input="a")
    with pytest.raises(openai.BadRequestError):
        client.post("/moderations", body={"model": "moderation-screen"}, cast_to=object)
