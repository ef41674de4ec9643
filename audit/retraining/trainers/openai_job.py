"""One fine-tuning job on a service: begun once, found again, and waited for.

The id of a job is written down at once, and the job carries a digest of what it was begun with. So a training
that is stopped while it waits goes on waiting, and one that was killed before it could write finds its job.
"""

import asyncio
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from audit.atomic import write_text
from audit.errors import InputError
from audit.retraining.trainers.base import TrainerContext
from audit.targets.openai_api.client import open_client, request_options
from audit.targets.openai_api.errors import without_secrets
from audit.targets.openai_api.options import OpenAIOptions
from audit.targets.openai_api.transport import transport_problem
from probes.records import Record

if TYPE_CHECKING:
    import openai
    from openai.types.fine_tuning import FineTuningJob

    from audit.targets.openai_api.direct import DirectClient

__all__ = ["STATE", "Job", "Wanted"]

STATE = "job.json"
"""What was begun; beside the model's notes from the moment on at which it was."""
_KEY = "evenhand"
"""Key of the metadata by which a job of ours is known again."""
_OVER = frozenset({"succeeded", "failed", "cancelled"})
_NOT_OFFERED = frozenset({404, 405, 501})
"""Statuses of services without a list of jobs or models; creating the job says what is wrong, if anything."""
_LOOKED_AT = 100
_SOON_DAYS = 90


class _State(Record):
    schema_version: Literal[1] = 1
    digest: str
    """Of files, options and base: another training is another job."""
    job: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a job is to be."""

    target: OpenAIOptions
    method: Literal["supervised", "dpo"]
    hyperparameters: dict[str, object]
    suffix: str | None
    training: Path
    validation: Path | None
    digest: str
    seed: int
    question: str
    """What is asked before anything is sent: the cost."""
    poll_s: float


class Job:
    """Begins a job or finds the one that was begun, and waits for it."""

    def __init__(self, wanted: Wanted, context: TrainerContext) -> None:
        """Look for the secrets; nothing is contacted yet.

        Raises:
            InputError: The target speaks Azure's dated interface, or a variable that it names is not set.
        """
        target = wanted.target
        if target.api_version is not None:
            raise InputError(
                "target: api_version: jobs go by Azure's undated interface; remove it, end base_url in /v1"
            )
        for name in target.secrets:
            if not context.secrets.get(name):
                raise InputError(f"target: the variable {name} is not set")
        self._wanted = wanted
        self._context = context
        self._state = context.out / STATE
        self._secret = context.secrets[target.api_key_env] if target.api_key_env else ""
        self._secrets = tuple(context.secrets[name] for name in target.secrets)

    async def ended(self) -> "FineTuningJob":
        """The job when it is over, however it went; its events are told as they come.

        Raises:
            InputError: The service refuses files, model or job, or cannot be reached; nobody agreed to the
                cost; or the folder holds a job that was begun with something else.
        """
        target = self._wanted.target
        headers = {name: self._context.secrets[held] for name, held in target.headers_env.items()}
        async with open_client(
            target.base_url, self._secret, target.timeout_s, {**target.headers, **headers}, target.key_name
        ) as client:
            return await self._waited(client, await self._begun(client))

    async def _begun(self, client: "DirectClient") -> str:
        """Id of the job: the one that was begun before, or a new one."""
        import openai  # noqa: PLC0415 - takes most of a second, and only jobs need it

        known = self._noted()
        if known is not None:
            self._context.told(f"going on with job {known}")
            return known
        try:
            job = await self._submitted_before(client) or await self._submitted(client)
        except openai.OpenAIError as error:
            raise InputError(f"{self._wanted.target.base_url}: {self._said(error)}") from error
        write_text(self._state, _State(digest=self._wanted.digest, job=job).model_dump_json(indent=2) + "\n")
        return job

    def _noted(self) -> str | None:
        """The job that was written down; None: there is none."""
        if not self._state.exists():
            return None
        try:
            known = _State.model_validate_json(self._state.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise InputError(
                f"{self._state}: is damaged or cannot be read",
                next_step="remove it: a job that was begun with these files is found again by its metadata",
            ) from error
        if known.digest != self._wanted.digest:
            raise InputError(
                f"{self._state}: job {known.job} was begun with other files, options or model",
                next_step="name another folder, or remove that file",
            )
        return known.job

    async def _submitted_before(self, client: "DirectClient") -> str | None:
        """A job of the same digest among the newest, which a killed training could not write down."""
        import openai  # noqa: PLC0415 - as above

        try:
            page = await client.with_options(max_retries=3).fine_tuning.jobs.list(
                limit=_LOOKED_AT, extra_headers=self._headers()
            )
        except openai.APIStatusError as error:
            if error.status_code in _NOT_OFFERED:
                return None
            raise
        for job in page.data:
            same = (job.metadata or {}).get(_KEY) == self._wanted.digest
            if same and job.status not in {"failed", "cancelled"}:
                self._context.told(f"job {job.id} was begun with these files before")
                return job.id
        return None

    async def _submitted(self, client: "DirectClient") -> str:
        wanted = self._wanted
        await self._check_model(client)
        if not self._context.agreed(wanted.question):
            raise InputError("nothing was sent: the cost was not agreed to")
        training = await self._uploaded(client, wanted.training)
        validation = None if wanted.validation is None else await self._uploaded(client, wanted.validation)
        method: Any = {"type": wanted.method, wanted.method: {"hyperparameters": wanted.hyperparameters}}
        suffix: dict[str, Any] = {} if wanted.suffix is None else {"suffix": wanted.suffix}
        job = await client.fine_tuning.jobs.create(
            model=wanted.target.model,
            method=method,
            seed=wanted.seed % 2**31,
            metadata={_KEY: wanted.digest},
            training_file=training,
            validation_file=validation,
            extra_headers=self._headers(),
            **suffix,
        )
        self._context.told(f"job {job.id} was begun")
        return job.id

    async def _uploaded(self, client: "DirectClient", path: Path) -> str:
        """Id of a file on the service."""
        content = await asyncio.to_thread(path.read_bytes)
        file = await client.files.create(
            file=(path.name, content), purpose="fine-tune", extra_headers=self._headers()
        )
        return file.id

    async def _check_model(self, client: "DirectClient") -> None:
        """Refuses a model that was shut down, where the service says when it is."""
        import openai  # noqa: PLC0415 - as above

        model = self._wanted.target.model
        try:
            found = await client.with_options(max_retries=3).models.retrieve(
                model, extra_headers=self._headers()
            )
        except openai.APIStatusError as error:
            if error.status_code in _NOT_OFFERED:
                return
            raise
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

    async def _waited(self, client: "DirectClient", name: str) -> "FineTuningJob":
        import openai  # noqa: PLC0415 - as above

        jobs, told = client.with_options(max_retries=8).fine_tuning.jobs, set[str]()
        while True:
            try:
                job = await jobs.retrieve(name, extra_headers=self._headers())
                events = (await jobs.list_events(name, limit=50, extra_headers=self._headers())).data
            except openai.OpenAIError as error:
                raise InputError(
                    f"{self._wanted.target.base_url}: job {name}: {self._said(error)}",
                    next_step="give the same command again: it goes on waiting for this job",
                ) from error
            for event in reversed(events):
                if event.id not in told:
                    told.add(event.id)
                    self._context.told(f"{name}: {' '.join(event.message.split())[:300]}")
            if job.status in _OVER:
                return job
            await asyncio.sleep(self._wanted.poll_s)

    def _headers(self) -> "openai._types.Headers | None":
        return request_options(self._wanted.target.key_name).get("headers")

    def _said(self, error: Exception) -> str:
        import openai  # noqa: PLC0415 - as above

        if isinstance(error, openai.APIConnectionError):
            return transport_problem(error, self._wanted.target.timeout_s)[0]
        return " ".join(without_secrets(str(error), self._secrets).split())[:500]


def _day(value: object) -> date | None:
    """A day as services write one: seconds since 1970, or year, month and day."""
    try:
        if isinstance(value, int | float):
            return datetime.fromtimestamp(value, UTC).date()
        return date.fromisoformat(value[:10]) if isinstance(value, str) else None
    except (ValueError, OverflowError, OSError):
        return None
