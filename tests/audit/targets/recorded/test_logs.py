"""The recorded target with logs: joined by id or text, and what has no counterpart is counted."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from pydantic import ValidationError

from audit.errors import InputError
from audit.records import Outcome, Output, Request
from audit.targets.base import TargetContext
from audit.targets.recorded.target import RecordedOptions, RecordedTarget
from probes.records import Message
from tests.probes.public.logs.shapes import (
    asked,
    garak_report,
    inspect_archive,
    inspect_sample,
    promptfoo_row,
    write_lines,
)

Ask = Callable[..., Request]


def _outputs(target: RecordedTarget, requests: Sequence[Request]) -> Sequence[Output]:
    async def generate() -> Sequence[Output]:
        outputs = await target.generate(requests, seed=7)
        await target.aclose()
        return outputs

    return asyncio.run(generate())


def _target(context: TargetContext, path: Path, **options: object) -> RecordedTarget:
    return RecordedTarget(RecordedOptions.model_validate({"path": path, **options}), context)


def test_an_inspect_log_answers_by_the_ids_of_its_samples(
    context: TargetContext, ask: Ask, caplog: pytest.LogCaptureFixture
) -> None:
    """Epochs are repeats, usage and model come along, and both kinds of loss are told."""
    samples = [
        inspect_sample("a", 1, "x", "ANSWER: A"),
        inspect_sample("a", 2, "x", "ANSWER: B"),
        inspect_sample("b", 1, "y", None),
        inspect_sample("c", 1, "z", "ANSWER: A"),
    ]
    target = _target(context, inspect_archive(context.root / "log.eval", samples))
    assert target.info.facts["format"] == "inspect (recognised)"
    assert (target.info.facts["rows"], target.info.facts["matched"]) == ("4", "id = source_id")
    requests = [ask("?", source_id="a", repeat=i) for i in range(3)]
    requests += [ask("?", source_id="b"), ask("?", source_id="nobody")]
    with caplog.at_level(logging.WARNING):
        outputs = _outputs(target, requests)
    assert [one.text for one in outputs] == ["ANSWER: A", "ANSWER: B", None, None, None]
    assert (outputs[0].model, outputs[0].latency_s, outputs[0].cached) == ("stub-1", 0.25, True)
    assert outputs[0].usage is not None
    assert outputs[0].usage.completion_tokens == 6
    assert outputs[2].error == "no recorded output: the file has 2 of this prompt"
    assert outputs[3].error == "the server\nwent away"
    assert outputs[4].outcome is Outcome.ERRORED
    assert (
        "2 of the 5 outputs asked for now had no recorded reply; 1 of the 4 recorded replies fitted no prompt"
    ) in caplog.text


def test_texts_and_conversations_join_the_prompts_of_a_plan(context: TargetContext, ask: Ask) -> None:
    """A plan that was asked elsewhere gets its answers by the text of the prompt, or by all its messages."""
    chat = '[{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Enter?"}]'
    path = write_lines(
        context.root / "r.jsonl", [promptfoo_row(0, chat, "No."), promptfoo_row(1, "Leave?", "Yes.")]
    )
    by_text = _target(context, path, by="prompt_text")
    assert [one.text for one in _outputs(by_text, [ask("Enter?"), ask("Leave?")])] == ["No.", "Yes."]
    system = Message(role="system", content="Be brief.")
    whole = Request(prompt_id="p", messages=(system, Message(role="user", content="Enter?")))
    by_all = _target(context, path, by="conversation")
    assert [one.text for one in _outputs(by_all, [whole, ask("Enter?")])] == ["No.", None]


def test_a_fact_of_the_log_can_be_the_key_or_the_reply(context: TargetContext, ask: Ask) -> None:
    """Ids that travelled through another tool's metadata join too, and a score can stand for the reply."""
    samples = [inspect_sample(7, 1, "x", "It is A.", metadata={"prompt": "p1", "part": 3})]
    path = inspect_archive(context.root / "log.eval", samples)
    options = {"format": "inspect", "key": ["metadata.prompt", "metadata.part"], "key_prefix": "own/"}
    target = _target(context, path, **options, text="scores.choice.answer")
    assert target.info.facts["matched"] == "metadata.prompt/metadata.part = source_id"
    (output,) = _outputs(target, [ask("?", source_id="own/p1/3")])
    assert output.text == "A"
    lost = _target(context, path, format="inspect", key="metadata.nothing")
    with pytest.raises(
        InputError, match=r"holds no reply that can be used.* metadata\.nothing \(key\) must be"
    ):
        lost.facts()


def test_several_replies_to_one_key(context: TargetContext, ask: Ask) -> None:
    """Two texts for one key are refused with what can be done; as repeats they keep the file's order."""
    rows = [promptfoo_row(case, "Enter?", text) for case, text in enumerate(["No.", "Yes.", "No."])]
    path = write_lines(context.root / "r.jsonl", rows)
    refused = _target(context, path, by="prompt_text")
    with pytest.raises(InputError, match=r"line 2: key 'Enter\?' was given before .* set same_key: repeats"):
        refused.facts()
    target = _target(context, path, by="prompt_text", same_key="repeats")
    outputs = _outputs(target, [ask("Enter?", repeat=i) for i in range(3)])
    assert [one.text for one in outputs] == ["No.", "Yes.", "No."]


def test_two_models_in_one_log_are_told_apart(context: TargetContext, ask: Ask) -> None:
    """Replies of two providers to one case are ambiguous until the spec chooses."""
    rows = [promptfoo_row(0, "a", "x"), promptfoo_row(0, "a", "y", provider={"id": "other"})]
    path = write_lines(context.root / "r.jsonl", rows)
    with pytest.raises(InputError, match="choose with where"):
        _target(context, path).facts()
    target = _target(context, path, where={"provider": "other"})
    assert [one.text for one in _outputs(target, [ask("?", source_id="0/0")])] == ["y"]


def test_an_attempt_that_stands_twice_is_one_reply(context: TargetContext, ask: Ask) -> None:
    """Garak writes an attempt before and after detection; as repeats it still counts once."""
    report = garak_report([{"prompt": "Say it", "outputs": [{"text": "a"}, {"text": "a"}]}])
    path = write_lines(context.root / "g.report.jsonl", report)
    for same_key in ("refuse", "repeats"):
        target = _target(context, path, same_key=same_key)
        outputs = _outputs(target, [ask("?", source_id="u0", repeat=i) for i in range(3)])
        assert [one.text for one in outputs] == ["a", "a", None]


def test_damaged_rows_are_counted_and_told(
    context: TargetContext, ask: Ask, caplog: pytest.LogCaptureFixture
) -> None:
    """What can be read answers; what cannot stands in the facts and in a line each."""
    path = write_lines(
        context.root / "r.jsonl", [promptfoo_row(0, "a", "x"), "{", promptfoo_row(1, "b", "y")]
    )
    target = _target(context, path)
    assert [one.text for one in _outputs(target, [ask("?", source_id="1/0")])] == ["y"]
    assert "r.jsonl: row 2: is not JSON" in caplog.text
    empty = _target(
        context, write_lines(context.root / "e.jsonl", [promptfoo_row(0, "a", "x") | {"prompt": None}])
    )
    with pytest.raises(InputError, match="holds no reply that can be used"):
        empty.facts()


def test_a_log_without_prompts_cannot_be_joined_by_text(context: TargetContext) -> None:
    """A batch's output has no text to compare with; its rows say so."""
    body = {"object": "chat.completion", "choices": [{"message": {"content": "x"}}]}
    path = write_lines(
        context.root / "b.jsonl", [{"custom_id": "p", "response": {"status_code": 200, "body": body}}]
    )
    with pytest.raises(InputError, match="holds a reply and no prompt; match by its id"):
        _target(context, path, by="prompt_text").facts()


def test_a_services_log_is_joined_by_its_columns(context: TargetContext, ask: Ask) -> None:
    """A mapping of columns makes any table a log."""
    path = write_lines(context.root / "l.jsonl", [{"q": asked("Enter?"), "a": "yes", "k": 5}])
    target = _target(context, path, columns={"messages": "q", "response": "a", "id": "k"})
    assert target.info.facts["format"] == "columns"
    assert [one.text for one in _outputs(target, [ask("?", source_id="5")])] == ["yes"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"format": "garak", "repeat": "n"}, "repeat is for rows"),
        ({"columns": {"prompt": "q", "response": "a"}, "error": "e"}, "error is for rows"),
        ({"format": "rows", "columns": {"prompt": "q", "response": "a"}}, "columns is for format columns"),
        ({"columns": {"prompt": "q"}}, "columns needs response"),
        ({"columns": {"prompt": "q", "messages": "m", "response": "a"}}, "exclude each other"),
    ],
)
def test_options_that_contradict_each_other(options: dict[str, object], said: str) -> None:
    """What would be ignored is refused instead."""
    with pytest.raises(ValidationError, match=said):
        RecordedOptions.model_validate({"path": "x", **options})


def test_a_format_that_does_not_fit_is_refused_at_once(context: TargetContext) -> None:
    """A spec's mistake is found before anything is planned."""
    path = write_lines(context.root / "l.jsonl", [{"prompt_id": "p", "text": "x"}])
    with pytest.raises(InputError, match="format columns needs columns"):
        _target(context, path, format="columns")
    assert _target(context, path).info.facts["format"] == "rows"
    refused: list[dict[str, object]] = [{"by": "conversation"}, {"where": {"a": 1}}, {"format": "rows"}]
    refused[2]["where"] = {"a": 1}
    for options in refused:
        with pytest.raises(InputError, match="is for logs, and this is read as rows"):
            _target(context, path, **options)
