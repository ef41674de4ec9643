"""The trainer of fine-tuning services: the real SDK against the project's own server, which really trains."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import openai
import pytest

from audit.demo.history import train_lender
from audit.errors import InputError
from audit.retraining.records import RetrainingFiles
from audit.retraining.trainers.base import TrainerContext
from audit.retraining.trainers.openai_trainer import OpenAITrainer
from audit.retraining.trainers.openai_trainer_options import OpenAITrainerOptions
from tests.servers.processes import specimen_server

_SCRIPT = """\
import sys
from pathlib import Path
from audit.retraining.trainers.base import TrainerContext
from audit.retraining.trainers.openai_trainer import OpenAITrainer
from audit.retraining.trainers.openai_trainer_options import OpenAITrainerOptions
from audit.retraining.writing import read_retraining_files
base_url, folder, out = sys.argv[1:]
context = TrainerContext(root=Path(), out=Path(out), told=lambda line: print(line, flush=True))
trainer = OpenAITrainer(OpenAITrainerOptions(poll_s=0.05), context)
base = {"type": "openai", "base_url": base_url, "model": "trainable"}
trainer.train(base, read_retraining_files(Path(folder)), seed=1)
"""


@pytest.fixture(scope="module")
def lender(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a small learned lender."""
    folder = tmp_path_factory.mktemp("lender")
    train_lender(folder, seed=7, n=600)
    return folder


@pytest.fixture(scope="module")
def slow_url(lender: Path) -> Iterator[str]:
    """A server whose jobs take a second."""
    with specimen_server("--trainable", str(lender), "--job-seconds", "1") as base_url:
        yield base_url


@pytest.fixture(scope="module")
def base_url(lender: Path) -> Iterator[str]:
    """A server whose jobs are quick."""
    with specimen_server("--trainable", str(lender), "--job-seconds", "0.1") as base_url:
        yield base_url


def _trainer(
    out: Path, told: list[str] | None = None, *, agreed: bool = True, **options: object
) -> OpenAITrainer:
    lines: list[str] = [] if told is None else told

    def asked(question: str) -> bool:
        lines.append(question)
        return agreed

    context = TrainerContext(root=Path(), out=out, told=lines.append, agreed=asked)
    return OpenAITrainer(OpenAITrainerOptions.model_validate({"poll_s": 0.05, **options}), context)


def _base(base_url: str, model: str = "trainable") -> dict[str, object]:
    return {"type": "openai", "base_url": base_url, "model": model}


def _jobs(base_url: str) -> list[str]:
    with openai.OpenAI(base_url=base_url, api_key="none", max_retries=0) as client:
        return [job.id for job in client.fine_tuning.jobs.list(limit=100)]


@pytest.mark.parametrize("method", ["supervised", "dpo"])
def test_a_job_gives_the_model_behind_a_new_name(
    base_url: str, files: RetrainingFiles, tmp_path: Path, method: str
) -> None:
    """Files go up, the job is waited for and told of, and the target names what came out."""
    told: list[str] = []
    trainer = _trainer(
        tmp_path / "out", told, method=method, n_epochs=2, usd_per_million_tokens=3.0, suffix="fair"
    )
    target = trainer.train(_base(base_url), files, seed=1)
    assert str(target["model"]).startswith("ft:trainable:evenhand:fair:")
    assert {**target, "model": "trainable"} == _base(base_url)
    assert "2 epochs at $3 a million are about $0." in told[0]
    assert any("successfully completed" in line for line in told)
    assert f'"model": "{target["model"]}"' in (tmp_path / "out" / "training.json").read_text(encoding="utf-8")
    with openai.OpenAI(base_url=base_url, api_key="none", max_retries=0) as client:
        asked = "A woman asks for a loan. Should the bank approve it? Answer yes or no."
        said = client.chat.completions.create(
            model=str(target["model"]), messages=[{"role": "user", "content": asked}]
        )
    assert said.choices[0].message.content


def test_a_training_that_is_killed_goes_on_with_its_job(
    slow_url: str, files: RetrainingFiles, tmp_path: Path
) -> None:
    """Killed while it waits, and begun again, the training uploads and pays nothing twice."""
    before = _jobs(slow_url)
    command = [sys.executable, "-c", _SCRIPT, slow_url, str(files.folder), str(tmp_path / "out")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert "was begun" in process.stdout.readline()
        process.send_signal(signal.SIGKILL)
    told: list[str] = []
    target = _trainer(tmp_path / "out", told).train(_base(slow_url), files, seed=1)
    assert told[0].startswith(("going on with job", "job ftjob-"))
    assert not any("Begin the job?" in line for line in told)
    assert len(_jobs(slow_url)) == len(before) + 1
    # Without what was written down the job is known by its files.
    (tmp_path / "out" / "job.json").unlink()
    again = _trainer(tmp_path / "out", told).train(_base(slow_url), files, seed=1)
    assert again == target
    assert len(_jobs(slow_url)) == len(before) + 1
    with pytest.raises(InputError, match="was begun with other files, options or model"):
        _trainer(tmp_path / "out", suffix="other").train(_base(slow_url), files, seed=1)


def test_a_job_of_somebody_else_is_no_job_of_ours(
    base_url: str, files: RetrainingFiles, tmp_path: Path
) -> None:
    """Jobs on the same account that carry no metadata are passed over, and ours is begun."""
    with openai.OpenAI(base_url=base_url, api_key="none", max_retries=0) as client:
        row = files.folder / next(one.path for one in files.manifest.files if one.format == "openai-sft")
        uploaded = client.files.create(file=row, purpose="fine-tune")
        foreign = client.fine_tuning.jobs.create(model="trainable", training_file=uploaded.id)
    told: list[str] = []
    _trainer(tmp_path / "out", told).train(_base(base_url), files, seed=21)
    assert any("was begun" in line for line in told)
    assert not any(foreign.id in line for line in told)


def test_a_job_that_is_cancelled_is_told_and_may_be_begun_anew(
    slow_url: str, files: RetrainingFiles, tmp_path: Path
) -> None:
    """Whoever cancels the job ends the wait with one line, and without the note a new job is begun."""
    told: list[str] = []

    class _Cancels(list[str]):
        def append(self, line: str) -> None:
            super().append(line)
            if "was begun" in line and "before" not in line:
                with openai.OpenAI(base_url=slow_url, api_key="none", max_retries=0) as client:
                    client.fine_tuning.jobs.cancel(line.split()[1])

    with pytest.raises(InputError, match=r"job ftjob-\S+ cancelled") as caught:
        _trainer(tmp_path / "out", _Cancels()).train(_base(slow_url), files, seed=22)
    note = tmp_path / "out" / "job.json"
    assert f"remove {note}" in str(caught.value.next_step)
    note.unlink()
    target = _trainer(tmp_path / "out", told).train(_base(slow_url), files, seed=22)
    assert str(target["model"]).startswith("ft:trainable:")
    assert any("was begun" in line and "before" not in line for line in told)


def test_nothing_is_sent_unless_the_cost_is_agreed_to(
    base_url: str, files: RetrainingFiles, tmp_path: Path
) -> None:
    """An unknown price is said to be unknown, and a no leaves the service untouched."""
    before, told = _jobs(base_url), list[str]()
    with pytest.raises(InputError, match="nothing was sent: the cost was not agreed to"):
        _trainer(tmp_path / "out", told, agreed=False).train(_base(base_url), files, seed=99)
    assert "the cost is not known, as the price is not. Begin the job?" in told[0]
    assert _jobs(base_url) == before
    assert not (tmp_path / "out").exists()


def test_what_the_service_refuses_is_one_line(base_url: str, files: RetrainingFiles, tmp_path: Path) -> None:
    """An unknown model, a missing key and a server that is not there are named, and no job is noted."""
    for model, url, says in (
        ("absent", base_url, "absent"),
        ("trainable", "http://127.0.0.1:9/v1", "no connection; is the server running"),
    ):
        with pytest.raises(InputError, match=says) as caught:
            _trainer(tmp_path / "out").train(_base(url, model), files, seed=5)
        assert "\n" not in str(caught.value)
    with pytest.raises(InputError, match="the variable EVENHAND_NO_KEY is not set"):
        _trainer(tmp_path / "out").train({**_base(base_url), "api_key_env": "EVENHAND_NO_KEY"}, files, seed=5)
    with pytest.raises(InputError, match="type is 'trainable'; the trainer openai accepts: openai"):
        _trainer(tmp_path / "out").train({"type": "trainable"}, files, seed=5)
    assert not (tmp_path / "out").exists()
