"""The `openai` trainer: a fine-tuning job on a service with OpenAI's interface, Azure's or a gateway's.

A job that was begun is written down at once. A training that is stopped while it waits goes on waiting when
it is begun again with the same files and options: nothing is uploaded or paid twice.
"""

import hashlib
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field, ValidationError

from audit.atomic import write_text
from audit.errors import InputError
from audit.retraining.records import Format, RetrainingFile, RetrainingFiles, Shape
from audit.retraining.trainers.base import TrainerContext, TrainerInfo
from audit.retraining.trainers.checks import check_files
from audit.targets.openai_options import OpenAIOptions
from audit.token_estimates import estimated_tokens
from audit.validation import problem_lines
from probes.base import Options
from probes.records import Record

if TYPE_CHECKING:
    import openai
    from openai.types.fine_tuning import FineTuningJob

__all__ = ["OpenAITrainer", "OpenAITrainerOptions"]

_FORMATS: Mapping[str, tuple[Format, ...]] = {
    "supervised": (Format.OPENAI_SFT, Format.TOGETHER),
    "dpo": (Format.OPENAI_DPO, Format.TOGETHER),
}
_STATE, _TRAINING = "job.json", "training.json"
_KEY = "evenhand"
"""Key of the metadata by which a job of ours is known again."""
_OVER = frozenset({"succeeded", "failed", "cancelled"})
_SOON_DAYS = 90
_Count = Annotated[int, Field(ge=1)]


class OpenAITrainerOptions(Options):
    """Options of the `openai` trainer."""

    method: Literal["supervised", "dpo"] = "supervised"
    n_epochs: _Count | None = None
    """None: as the service decides."""
    batch_size: _Count | None = None
    learning_rate_multiplier: Annotated[float, Field(gt=0)] | None = None
    beta: Annotated[float, Field(gt=0, le=2)] | None = None
    """Of `dpo`."""
    suffix: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")] | None = None
    """Part of the new model's name."""
    validation: bool = True
    """Whether the validation file goes along."""
    usd_per_million_tokens: Annotated[float, Field(ge=0)] | None = None
    """Price of training; None: the cost is not known, and said to be so."""
    poll_s: Annotated[float, Field(gt=0, le=3600)] = 10.0
    """Seconds between two looks at the job."""

    def hyperparameters(self) -> dict[str, object]:
        """Those that were given."""
        names = ("n_epochs", "batch_size", "learning_rate_multiplier", "beta")
        return {name: value for name in names if (value := getattr(self, name)) is not None}


class _State(Record):
    """What was begun; in `job.json` from the moment on at which it was."""

    schema_version: Literal[1] = 1
    digest: str
    """Of files, options and base: another training is another job."""
    job: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wanted:
    """What a job is to be."""

    model: str
    training: Path
    validation: Path | None
    digest: str
    seed: int


class OpenAITrainer:
    """Uploads the files, begins a job, waits for it, and names the model that came out."""

    Options: ClassVar[type[Options]] = OpenAITrainerOptions
    info: ClassVar[TrainerInfo] = TrainerInfo(
        name="openai",
        version="1",
        trains=("openai",),
        reads=tuple(dict.fromkeys(one for formats in _FORMATS.values() for one in formats)),
        method="A fine-tuning job, supervised or by DPO, on a service with OpenAI's interface.",
    )

    def __init__(self, options: OpenAITrainerOptions, context: TrainerContext) -> None:
        """Keep options and folders; nothing is contacted yet."""
        self._options = options
        self._context = context

    def train(self, base: Mapping[str, object], files: RetrainingFiles, *, seed: int) -> dict[str, object]:
        """An `openai` target of the model that the job made.

        Args:
            base: `type: openai` with its `model`, address and names of variables; other options pass on.
            files: What `write_retraining_files` wrote.
            seed: Of the job, where the service honours one.

        Returns:
            The base with the new `model`.

        Raises:
            InputError: Wrong target type; a file missing, changed or swapped; the service refuses the files
                or the model, the job failed or was cancelled, or nobody agreed to the cost.
        """
        target = _base_options(base)
        check_files(files)
        training = _file(files, self._options.method, "train")
        if training is None:
            accepted = ", ".join(_FORMATS[self._options.method])
            raise InputError(f"{files.folder}: holds no training file of a format out of {accepted}")
        held_out = _file(files, self._options.method, "validation") if self._options.validation else None
        digest = self._digest(base, training, held_out, seed)
        wanted = _Wanted(
            model=target.model,
            training=files.folder / training.path,
            validation=None if held_out is None else files.folder / held_out.path,
            digest=digest,
            seed=seed,
        )
        with self._client(target) as client:
            job = self._ended(client, self._begun(client, wanted))
        if job.status != "succeeded" or job.fine_tuned_model is None:
            said = None if job.error is None else job.error.message
            reason = said or "no reason was given"
            raise InputError(
                f"{target.base_url}: job {job.id} {job.status}: {' '.join(str(reason).split())[:500]}",
                next_step=f"mend the cause, remove {self._context.out / _STATE}, then give the command again",
            )
        self._note(base, job, wanted)
        return {**base, "model": job.fine_tuned_model}

    def _client(self, target: OpenAIOptions) -> "openai.OpenAI":
        import openai  # noqa: PLC0415 - takes most of a second, and only jobs need it

        if target.api_version is not None:
            raise InputError(
                "target: api_version: the trainer openai speaks the undated interface only; give base_url as "
                "https://RESOURCE.openai.azure.com/openai/v1 and leave api_version out"
            )
        key = "" if target.api_key_env is None else self._context.secrets.get(target.api_key_env, "")
        if target.api_key_env is not None and not key:
            raise InputError(f"target: api_key_env: the variable {target.api_key_env} is not set")
        headers = dict(target.headers)
        headers |= {name: self._context.secrets.get(held, "") for name, held in target.headers_env.items()}
        if target.key_header == "api-key" and key:
            headers["api-key"] = key
        return openai.OpenAI(
            base_url=target.base_url,
            api_key=key or "not-needed",
            timeout=target.timeout_s,
            max_retries=0,
            default_headers=headers,
            http_client=openai.DefaultHttpxClient(follow_redirects=False, timeout=target.timeout_s),
        )

    def _begun(self, client: "openai.OpenAI", wanted: _Wanted) -> str:
        """Id of the job: the one that was begun before, or a new one."""
        import openai  # noqa: PLC0415 - as above

        state = self._context.out / _STATE
        if state.exists():
            known = _noted(state)
            if known.digest != wanted.digest:
                raise InputError(
                    f"{state}: job {known.job} was begun with other files, options or model",
                    next_step="name another folder, or remove that file",
                )
            self._context.told(f"going on with job {known.job}")
            return known.job
        try:
            found = self._submitted_before(client, wanted)
            job = found or self._submitted(client, wanted)
        except openai.OpenAIError as error:
            raise InputError(f"{client.base_url}: {_said(error)}") from error
        write_text(state, _State(digest=wanted.digest, job=job).model_dump_json(indent=2) + "\n")
        return job

    def _submitted_before(self, client: "openai.OpenAI", wanted: _Wanted) -> str | None:
        """A job of the same digest, begun by a training that was killed before it could write so."""
        for place, job in enumerate(client.with_options(max_retries=3).fine_tuning.jobs.list(limit=20)):
            if place == 20 or job.metadata is None:  # noqa: PLR2004 - the newest page
                break
            if job.metadata.get(_KEY) == wanted.digest and job.status not in {"failed", "cancelled"}:
                self._context.told(f"job {job.id} was begun with these files before")
                return job.id
        return None

    def _submitted(self, client: "openai.OpenAI", wanted: _Wanted) -> str:
        self._check_model(client, wanted.model)
        if not self._context.agreed(f"{self._cost(wanted.training)} Begin the job?"):
            raise InputError("nothing was sent: the cost was not agreed to")
        options = self._options
        training = _uploaded(client, wanted.training)
        validation = None if wanted.validation is None else _uploaded(client, wanted.validation)
        method: Any = {
            "type": options.method,
            options.method: {"hyperparameters": options.hyperparameters()},
        }
        extra: dict[str, Any] = {} if options.suffix is None else {"suffix": options.suffix}
        job = client.fine_tuning.jobs.create(
            model=wanted.model,
            method=method,
            seed=wanted.seed % 2**31,
            metadata={_KEY: wanted.digest},
            training_file=training,
            validation_file=validation,
            **extra,
        )
        self._context.told(f"job {job.id} was begun")
        return job.id

    def _check_model(self, client: "openai.OpenAI", model: str) -> None:
        """Refuses a model whose service ends, where the service says when."""
        found = client.with_options(max_retries=3).models.retrieve(model)
        ends = _day((found.model_extra or {}).get("shutdown_date"))
        if ends is None:
            return
        left = (ends - datetime.now(UTC).date()).days
        if left < 0:
            raise InputError(f"target: model: {model} was shut down on {ends}; name another model")
        if left < _SOON_DAYS:
            self._context.told(
                f"{model} is shut down on {ends}, in {left} days; what is tuned on it ends too"
            )

    def _cost(self, path: Path) -> str:
        tokens = estimated_tokens(len(path.read_text(encoding="utf-8")))
        epochs = self._options.n_epochs
        price = self._options.usd_per_million_tokens
        said = f"About {tokens} tokens an epoch, estimated from characters;"
        if price is None or epochs is None:
            missing = "price" if price is None else "number of epochs"
            return f"{said} the cost is not known, as the {missing} is not."
        usd = tokens * epochs * price / 1e6
        shown = f"{usd:.2f}" if usd >= 1 else f"{usd:.2g}"
        return f"{said} {epochs} epochs at ${price:g} a million are about ${shown}."

    def _ended(self, client: "openai.OpenAI", name: str) -> "FineTuningJob":
        """The job when it is over; its events are told as they come."""
        import openai  # noqa: PLC0415 - as above

        patient, told = client.with_options(max_retries=8), set[str]()
        while True:
            try:
                job = patient.fine_tuning.jobs.retrieve(name)
                events = patient.fine_tuning.jobs.list_events(name, limit=50).data
            except openai.OpenAIError as error:
                raise InputError(
                    f"{client.base_url}: job {name}: {_said(error)}",
                    next_step="give the same command again: it goes on waiting for this job",
                ) from error
            for event in reversed(events):
                if event.id not in told:
                    told.add(event.id)
                    self._context.told(f"{name}: {' '.join(event.message.split())[:300]}")
            if job.status in _OVER:
                return job
            time.sleep(self._options.poll_s)

    def _digest(
        self, base: Mapping[str, object], training: RetrainingFile, held_out: RetrainingFile | None, seed: int
    ) -> str:
        parts = {
            "base": {key: str(base[key]) for key in ("base_url", "model") if key in base},
            "files": [training.sha256, None if held_out is None else held_out.sha256],
            "options": self._options.model_dump(mode="json", exclude={"poll_s", "usd_per_million_tokens"}),
            "seed": seed,
        }
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()

    def _note(self, base: Mapping[str, object], job: "FineTuningJob", wanted: _Wanted) -> None:
        price, tokens = self._options.usd_per_million_tokens, job.trained_tokens
        said = {
            "schema_version": 1,
            "trainer": {"name": self.info.name, "version": self.info.version},
            "base": dict(base),
            "options": self._options.model_dump(mode="json"),
            "seed": wanted.seed,
            "files": [path.name for path in (wanted.training, wanted.validation) if path is not None],
            "job": job.id,
            "model": job.fine_tuned_model,
            "trained_tokens": tokens,
            "usd": None if price is None or tokens is None else tokens * price / 1e6,
            "seconds": None if job.finished_at is None else job.finished_at - job.created_at,
            "energy_kwh": None,
        }
        write_text(self._context.out / _TRAINING, json.dumps(said, indent=2, ensure_ascii=False) + "\n")


def _file(
    files: RetrainingFiles, method: str, split: Literal["train", "validation"]
) -> RetrainingFile | None:
    shape = Shape.SFT if method == "supervised" else Shape.DPO
    found = (files.find(one, split, shape=shape) for one in _FORMATS[method])
    return next((one for one in found if one is not None), None)


def _noted(path: Path) -> _State:
    """What was begun."""
    try:
        return _State.model_validate_json(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(
            f"{path}: is damaged or cannot be read",
            next_step="remove it: a job that was begun with these files is found again by its metadata",
        ) from error


def _uploaded(client: "openai.OpenAI", path: Path) -> str:
    """Id of a file on the service."""
    return client.files.create(file=(path.name, path.read_bytes()), purpose="fine-tune").id


def _base_options(base: Mapping[str, object]) -> OpenAIOptions:
    if base.get("type") != "openai":
        raise InputError(f"target: type is {base.get('type')!r}; the trainer openai accepts: openai")
    try:
        return OpenAIOptions.model_validate({key: base[key] for key in sorted(base) if key != "type"})
    except ValidationError as error:
        raise InputError(problem_lines(error, "target")[0]) from error


def _day(value: object) -> date | None:
    """A day as services write one: seconds since 1970, or year, month and day."""
    try:
        if isinstance(value, int | float):
            return datetime.fromtimestamp(value, UTC).date()
        return date.fromisoformat(value[:10]) if isinstance(value, str) else None
    except (ValueError, OverflowError, OSError):
        return None


def _said(error: Exception) -> str:
    return " ".join(str(error).split())[:500]
