"""Fine-tuning jobs through the real SDK: the model behind the new name has really learned."""

from collections.abc import Sequence
from pathlib import Path

import openai
import pytest
from openai.types.fine_tuning import FineTuningJob

from audit.demo.history import lending_history
from tests.audit.serving.conftest import jsonl, sdk, until
from tests.servers.processes import specimen_server, started

_OVER = ("succeeded", "failed", "cancelled")


def _cases(count: int, seed: int = 11) -> list[tuple[str, bool]]:
    """Questions of the past, with the decision that merit deserves."""
    return [(past.text, past.deserved) for past in lending_history(count, seed)]


def _answer(*, favourable: bool) -> str:
    return "Yes." if favourable else "No."


def _turned(count: int, seed: int = 11) -> list[dict[str, object]]:
    """Supervised rows that teach the opposite of merit, which nobody has by chance."""
    return [
        {
            "messages": [
                {"role": "user", "content": f"{text} Answer yes or no: should it be approved?"},
                {"role": "assistant", "content": _answer(favourable=not deserved)},
            ]
        }
        for text, deserved in _cases(count, seed)
    ]


def _preferences(count: int) -> list[dict[str, object]]:
    return [
        {
            "input": {
                "messages": [{"role": "user", "content": f"{text} Answer yes or no: should it be approved?"}]
            },
            "preferred_output": [{"role": "assistant", "content": _answer(favourable=not deserved)}],
            "non_preferred_output": [{"role": "assistant", "content": _answer(favourable=deserved)}],
        }
        for text, deserved in _cases(count)
    ]


def _upload(client: openai.OpenAI, rows: Sequence[object]) -> str:
    return client.files.create(file=("train.jsonl", jsonl(rows)), purpose="fine-tune").id


def _ended(client: openai.OpenAI, name: str) -> FineTuningJob:
    until(lambda: client.fine_tuning.jobs.retrieve(name).status, _OVER)
    return client.fine_tuning.jobs.retrieve(name)


def _agreement(client: openai.OpenAI, model: str, rows: Sequence[dict[str, object]]) -> float:
    """Share of rows whose taught answer a model gives at temperature 0."""
    right = 0
    for row in rows:
        messages = row["messages"]
        assert isinstance(messages, list)
        done = client.chat.completions.create(model=model, messages=messages[:1], temperature=0)
        right += (done.choices[0].message.content or "").startswith(messages[1]["content"].rstrip("."))
    return right / len(rows)


def test_a_job_teaches_the_model_behind_a_new_name(client: openai.OpenAI) -> None:
    """On unseen cases the new model answers as it was taught, and the old one as before."""
    file = _upload(client, _turned(300))
    job = client.fine_tuning.jobs.create(
        model="trainable",
        training_file=file,
        validation_file=_upload(client, _turned(40, seed=5)),
        suffix="turned",
        method={"type": "supervised", "supervised": {"hyperparameters": {"n_epochs": 2}}},
        metadata={"run": "a"},
    )
    assert (job.object, job.status, job.training_file) == ("fine_tuning.job", "validating_files", file)
    seen = until(lambda: client.fine_tuning.jobs.retrieve(job.id).status, _OVER)
    assert seen == ["validating_files", "queued", "running", "succeeded"]
    done = client.fine_tuning.jobs.retrieve(job.id)
    assert done.fine_tuned_model is not None
    assert done.fine_tuned_model.startswith("ft:trainable:evenhand:turned:")
    assert (done.hyperparameters.n_epochs, done.metadata, done.error) == (2, {"run": "a"}, None)
    assert done.trained_tokens
    assert done.method is not None
    assert done.method.type == "supervised"
    assert client.files.content(done.result_files[0]).text.startswith("step,train_loss,valid_loss\n")
    unseen = _turned(40, seed=23)
    assert _agreement(client, done.fine_tuned_model, unseen) > 0.75
    assert _agreement(client, "trainable", unseen) < 0.4
    events = list(client.fine_tuning.jobs.list_events(job.id, limit=3))
    assert events[0].message == "The job has successfully completed"
    assert events[-1].message == f"Created fine-tuning job: {job.id}"
    assert [event.type for event in events].count("metrics") == 1
    assert client.fine_tuning.jobs.checkpoints.list(job.id).data == []
    assert job.id in [one.id for one in client.fine_tuning.jobs.list(limit=2)]
    assert client.models.retrieve(done.fine_tuned_model).owned_by == "user"
    # A fine-tuned model can be tuned on, and deleted.
    again = client.fine_tuning.jobs.create(model=done.fine_tuned_model, training_file=file)
    assert _ended(client, again.id).status == "succeeded"
    assert client.models.delete(done.fine_tuned_model).deleted
    with pytest.raises(openai.NotFoundError):
        client.models.retrieve(done.fine_tuned_model)


def test_preferences_are_learned_by_dpo(client: openai.OpenAI) -> None:
    """A preference file moves the model towards the preferred answers on unseen cases."""
    job = client.fine_tuning.jobs.create(
        model="trainable",
        training_file=_upload(client, _preferences(300)),
        method={"type": "dpo", "dpo": {"hyperparameters": {"beta": 0.2}}},
    )
    done = _ended(client, job.id)
    assert done.status == "succeeded"
    assert done.method is not None
    assert done.method.dpo is not None
    assert done.method.dpo.hyperparameters is not None
    assert done.method.dpo.hyperparameters.beta == 0.2
    assert done.fine_tuned_model is not None
    assert _agreement(client, done.fine_tuned_model, _turned(40, seed=23)) > 0.75


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (_turned(3), "3 rows"),
        ([*_turned(12), {"messages": []}], "13: messages"),
        ([*_turned(12), {"prompt": "a"}], "13: keys are prompt"),
        (
            [{"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Ho"}]}] * 12,
            "decides",
        ),
    ],
)
def test_a_bad_file_fails_the_job_with_its_line(client: openai.OpenAI, rows: list[object], said: str) -> None:
    """The job says in the documented error what is wrong with the file, and nothing of the server's disk."""
    file = _upload(client, rows)
    done = _ended(client, client.fine_tuning.jobs.create(model="trainable", training_file=file).id)
    assert done.status == "failed"
    assert done.error is not None
    assert (done.error.code, done.error.param) == ("invalid_training_file", "training_file")
    assert said in done.error.message
    assert f"File '{file}'" in done.error.message
    assert "/" not in done.error.message
    assert done.fine_tuned_model is None


def test_a_job_that_cannot_be_made_is_refused(client: openai.OpenAI) -> None:
    """What does not learn, an absent file, a wrong purpose and wrong settings get an error at once."""
    file = _upload(client, _turned(12))
    other = client.files.create(file=("a.jsonl", jsonl([1])), purpose="batch").id
    with pytest.raises(openai.BadRequestError) as raised:
        client.fine_tuning.jobs.create(model="specimen", training_file=file)
    assert raised.value.code == "model_not_available"
    with pytest.raises(openai.NotFoundError):
        client.fine_tuning.jobs.create(model="absent", training_file=file)
    for name in ("file-absent", other):
        with pytest.raises(openai.BadRequestError) as raised:
            client.fine_tuning.jobs.create(model="trainable", training_file=name)
        assert raised.value.param == "training_file"
    wrong: list[dict[str, object]] = [
        {"method": {"type": "reinforcement"}},
        {"hyperparameters": {"n_epochs": 0}},
        {"hyperparameters": {"cakes": 1}},
        {"suffix": "../x"},
    ]
    for settings in wrong:
        with pytest.raises(openai.BadRequestError):
            client.fine_tuning.jobs.create(model="trainable", training_file=file, extra_body=settings)


def test_a_cancelled_job_makes_no_model(lender: Path) -> None:
    """Cancelling ends a job at once, and what is over cannot be cancelled."""
    options = ("--trainable", str(lender), "--job-seconds", "60")
    with specimen_server(*options) as base_url, sdk(base_url) as client:
        job = client.fine_tuning.jobs.create(model="trainable", training_file=_upload(client, _turned(12)))
        assert client.fine_tuning.jobs.cancel(job.id).status == "cancelled"
        with pytest.raises(openai.BadRequestError):
            client.fine_tuning.jobs.cancel(job.id)
        assert not [model.id for model in client.models.list() if model.id.startswith("ft:")]


def test_a_killed_server_ends_its_jobs_and_keeps_its_models(tmp_path: Path, lender: Path) -> None:
    """After SIGKILL another server over the folder trains what was under way and serves what was made."""
    options = ("--trainable", str(lender), "--data", str(tmp_path))
    process, base_url = started(*options, "--job-seconds", "0")
    with sdk(base_url) as client:
        file = _upload(client, _turned(60))
        first = _ended(client, client.fine_tuning.jobs.create(model="trainable", training_file=file).id)
    process.kill()
    process.wait(10)
    process, base_url = started(*options, "--job-seconds", "60")
    with sdk(base_url) as client:
        second = client.fine_tuning.jobs.create(model="trainable", training_file=file)
    process.kill()
    process.wait(10)
    with specimen_server(*options, "--job-seconds", "0") as again, sdk(again) as client:
        assert first.fine_tuned_model in [model.id for model in client.models.list()]
        assert _ended(client, second.id).status == "succeeded"
