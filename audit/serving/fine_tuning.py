"""`/v1/fine_tuning/jobs`: jobs that really train the learned lender on uploaded files."""

import asyncio
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import JsonValue

from audit.errors import AuditError, InputError
from audit.serving.api_errors import ApiError, invalid, not_found
from audit.serving.files import Files
from audit.serving.job_records import EventRecord, Hyperparameters, JobError, JobRecord, JobRequest, JobStatus
from audit.serving.lessons import Learned, Lesson
from audit.serving.models import Models
from audit.serving.pacing import Pace
from audit.serving.shelves import Shelf, new_id

__all__ = ["Jobs"]

_LOGGER = logging.getLogger(__name__)
_UNDER_WAY = ("validating_files", "queued", "running")
_BETA = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class _Change:
    """A step of a job and what is said of it."""

    status: JobStatus
    message: str
    level: Literal["info", "error"] = "info"
    data: dict[str, JsonValue] | None = None


class Jobs:
    """All jobs, and the tasks that work on those that are under way."""

    def __init__(self, folder: Path, files: Files, models: Models, pace: Pace) -> None:
        """Read what is there, and serve the models that were made; nothing is begun yet.

        Args:
            folder: Where jobs lie; models lie beside it.
            files: Training and result files.
            models: What is served; fine-tuned models are added.
            pace: How long jobs take.

        Raises:
            InputError: A record is damaged.
        """
        self._shelf = Shelf(folder, JobRecord)
        self._models_folder = folder.parent / "models"
        self._files = files
        self._models = models
        self._pace = pace
        self._tasks: dict[str, asyncio.Task[None]] = {}
        for job in self._shelf.newest_first():
            if job.fine_tuned_model is not None and not job.removed:
                models.add_tuned(
                    job.fine_tuned_model, self._folder_of(job), job.finished_at or job.created_at
                )

    def listed(self) -> list[JobRecord]:
        """All jobs, the newest first."""
        return self._shelf.newest_first()

    def find(self, name: str) -> JobRecord:
        """A job.

        Raises:
            ApiError: 404; there is none of that id.
        """
        job = self._shelf.find(name)
        if job is None:
            raise not_found("FineTuningJob", name, param="fine_tuning_job_id")
        return job

    async def create(self, request: JobRequest) -> JobRecord:
        """Begin a job.

        Raises:
            ApiError: The model cannot be trained, or a file is missing or was uploaded for something else.
        """
        self._models.find(request.model)
        if await self._models.folder_of(request.model) is None:
            said = "The specified base model does not support fine-tuning."
            raise invalid(said, param="model", code="model_not_available")
        for param, name in (
            ("training_file", request.training_file),
            ("validation_file", request.validation_file),
        ):
            if name is not None:
                self._check_file(name, param)
        settings = request.method.dpo if request.method.type == "dpo" else request.method.supervised
        job = self._shelf.add(
            JobRecord(
                id=new_id("ftjob-"),
                created_at=int(self._pace.now()),
                model=request.model,
                training_file=request.training_file,
                validation_file=request.validation_file,
                method=request.method.type,
                hyperparameters=request.hyperparameters or settings.hyperparameters,
                seed=request.seed or 0,
                suffix=request.suffix,
                metadata=request.metadata,
            )
        )
        job = self._step(
            job, _Change(status="validating_files", message=f"Created fine-tuning job: {job.id}")
        )
        self._begin(job)
        return job

    def cancel(self, name: str) -> JobRecord:
        """Stop a job; nothing is kept of what it learned.

        Raises:
            ApiError: There is none of that id, or it is over.
        """
        job = self.find(name)
        if job.status not in _UNDER_WAY:
            raise invalid(f"Job has already completed: {job.id} is {job.status}.", code="invalid_status")
        task = self._tasks.get(job.id)
        if task is not None:
            task.cancel()
        change = _Change(status="cancelled", message="The job was cancelled.")
        return self._step(job, change, finished_at=int(self._pace.now()))

    def remove_model(self, name: str) -> None:
        """Delete a fine-tuned model.

        Raises:
            ApiError: No fine-tuned model has that name.
        """
        if not self._models.remove_tuned(name):
            self._models.find(name)
            raise ApiError(403, f"Only fine-tuned models can be deleted, not {name}.", code="forbidden")
        for job in self._shelf.newest_first():
            if job.fine_tuned_model == name:
                self._shelf.put(job.model_copy(update={"removed": True}))

    def resume(self) -> None:
        """Begin again what was under way when the server stopped."""
        for job in self._shelf.newest_first():
            if job.status in _UNDER_WAY:
                self._begin(job)

    async def aclose(self) -> None:
        """Stop working; a later server begins again."""
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    def _check_file(self, name: str, param: str) -> None:
        try:
            file = self._files.find(name)
        except ApiError as error:
            raise invalid(f"invalid {param}: {name}", param=param, code=None) from error
        if file.purpose != "fine-tune":
            said = f"Expected file {name} to have purpose 'fine-tune', got '{file.purpose}' instead."
            raise invalid(said, param=param, code=None)

    def _begin(self, job: JobRecord) -> None:
        task = asyncio.create_task(self._work(job.id))
        self._tasks[job.id] = task
        task.add_done_callback(lambda _: self._tasks.pop(job.id, None))

    async def _work(self, name: str) -> None:
        try:
            await self._train(self.find(name))
        except (InputError, ApiError) as error:
            self._fail(self.find(name), error)
        except (AuditError, OSError):
            _LOGGER.exception("job %s", name)

    async def _train(self, job: JobRecord) -> None:
        from audit.serving.learning import learn  # noqa: PLC0415 - takes seconds, and only jobs need it

        wait = self._pace.least_s / 3
        await asyncio.sleep(wait)
        said = "Files validated, moving job to queued state"
        job = self._step(job, _Change(status="queued", message=said))
        await asyncio.sleep(wait)
        job = self._step(job, _Change(status="running", message="Fine-tuning job started"))
        folder = await self._models.folder_of(job.model)
        if folder is None:
            raise invalid(f"The model {job.model} has been deleted.", param="model")
        learned = await asyncio.to_thread(learn, folder, self._lesson(job))
        await asyncio.sleep(wait)
        self._succeed(job, learned)

    def _lesson(self, job: JobRecord) -> Lesson:
        given = job.hyperparameters
        epochs = 1 if given.n_epochs == "auto" else given.n_epochs
        rate = 1.0 if given.learning_rate_multiplier == "auto" else given.learning_rate_multiplier
        beta = _BETA if given.beta is None or given.beta == "auto" else given.beta
        validation = None
        if job.validation_file is not None:
            validation = self._files.path(self._files.find(job.validation_file))
        return Lesson(
            training=self._files.path(self._files.find(job.training_file)),
            validation=validation,
            method=job.method,
            weight=epochs * rate,
            beta=beta,
        )

    def _succeed(self, job: JobRecord, learned: Learned) -> None:
        from audit.serving.learning import keep  # noqa: PLC0415 - as above

        lesson = self._lesson(job)
        given = job.hyperparameters
        epochs = 1 if given.n_epochs == "auto" else given.n_epochs
        used = Hyperparameters(
            n_epochs=epochs,
            batch_size=learned.used if given.batch_size == "auto" else given.batch_size,
            learning_rate_multiplier=lesson.weight / epochs,
            beta=lesson.beta if job.method == "dpo" else None,
        )
        keep(learned, self._folder_of(job))
        base = job.model.split(":")[1] if job.model.startswith("ft:") else job.model
        name = f"ft:{base}:evenhand:{job.suffix or ''}:{job.id.removeprefix('ftjob-')[:8]}"
        results = self._files.write(_metrics(learned), "step_metrics.csv", "fine-tune-results")
        job = self._step(job, _loss_change(learned))
        if learned.used < learned.rows:
            said = f"{learned.rows - learned.used} of {learned.rows} rows decide nothing and were left out"
            job = self._step(job, _Change(status="running", message=said))
        job = self._step(job, _Change(status="running", message=f"New fine-tuned model created: {name}"))
        now = int(self._pace.now())
        self._step(
            job,
            _Change(status="succeeded", message="The job has successfully completed"),
            fine_tuned_model=name,
            finished_at=now,
            hyperparameters=used,
            result_files=(results.id,),
            trained_tokens=learned.tokens * epochs,
        )
        self._models.add_tuned(name, self._folder_of(job), now)

    def _fail(self, job: JobRecord, error: Exception) -> None:
        said = str(error)
        for name in (job.training_file, job.validation_file):
            # Of our own disk a client learns nothing.
            if name is not None:
                said = said.replace(f"{self._files.folder / name}.bin", f"File '{name}'")
        at_fault = job.validation_file is not None and job.validation_file in said
        param = "validation_file" if at_fault else "training_file"
        message = f"The job failed due to an invalid {param.replace('_', ' ')}. {said}"
        change = _Change(status="failed", message=message, level="error")
        problem = JobError(code=f"invalid_{param}", message=message, param=param)
        self._step(job, change, error=problem, finished_at=int(self._pace.now()))

    def _folder_of(self, job: JobRecord) -> Path:
        return (self._models_folder / job.id).absolute()

    def _step(self, job: JobRecord, change: _Change, **further: object) -> JobRecord:
        event = EventRecord(
            id=new_id("ftevent-"),
            created_at=int(self._pace.now()),
            number=len(job.events),
            level=change.level,
            message=change.message,
            type="message" if change.data is None else "metrics",
            data=change.data,
        )
        events = (*job.events, event)
        changed = job.model_copy(update={"status": change.status, "events": events, **further})
        self._shelf.put(changed)
        return changed


def _metrics(learned: Learned) -> list[bytes]:
    """The result file: losses before and after, a step each, since the minimum is found at once."""
    lines = [b"step,train_loss,valid_loss\n"]
    for step in (0, 1):
        valid = "" if learned.validation_loss is None else f"{learned.validation_loss[step]:.6f}"
        lines.append(f"{step},{learned.training_loss[step]:.6f},{valid}\n".encode())
    return lines


def _loss_change(learned: Learned) -> _Change:
    loss = learned.training_loss[1]
    data: dict[str, JsonValue] = {"step": 1, "total_steps": 1, "train_loss": loss}
    said = f"Step 1/1: training loss={loss:.4f}"
    if learned.validation_loss is not None:
        data["valid_loss"] = learned.validation_loss[1]
        said += f", validation loss={learned.validation_loss[1]:.4f}"
    return _Change(status="running", message=said, data=data)
