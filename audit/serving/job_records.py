"""Fine-tuning jobs as they lie on disk and as clients see and ask for them."""

from typing import Annotated, Literal, TypeAlias

from pydantic import Field, JsonValue

from audit.serving.bodies import Body, Metadata
from audit.serving.shelves import Kept
from probes.records import Record

__all__ = ["EventRecord", "Hyperparameters", "JobError", "JobRecord", "JobRequest", "JobStatus"]

JobStatus: TypeAlias = Literal["validating_files", "queued", "running", "succeeded", "failed", "cancelled"]

_ORGANISATION = "org-evenhand"


class Hyperparameters(Record):
    """How a job trains; `auto` until its files are read."""

    n_epochs: Annotated[int, Field(ge=1, le=50)] | Literal["auto"] = "auto"
    batch_size: Annotated[int, Field(ge=1)] | Literal["auto"] = "auto"
    learning_rate_multiplier: Annotated[float, Field(gt=0, le=100)] | Literal["auto"] = "auto"
    beta: Annotated[float, Field(gt=0, le=2)] | Literal["auto"] | None = None

    def shown(self) -> dict[str, JsonValue]:
        """As clients see them; `beta` belongs to DPO only."""
        shown: dict[str, JsonValue] = self.model_dump(mode="json")
        return {name: value for name, value in shown.items() if value is not None}


class _Settings(Body):
    hyperparameters: Hyperparameters = Hyperparameters()


class _Method(Body):
    type: Literal["supervised", "dpo"]
    supervised: _Settings = _Settings()
    dpo: _Settings = _Settings()


class JobRequest(Body):
    """What a client asks for."""

    model: str
    training_file: str
    validation_file: str | None = None
    suffix: Annotated[str, Field(max_length=64, pattern=r"^[A-Za-z0-9_-]*$")] | None = None
    seed: int | None = None
    method: _Method = _Method(type="supervised")
    hyperparameters: Hyperparameters | None = None
    """The older place of these."""
    metadata: Metadata | None = None


class JobError(Record):
    """Why a job failed."""

    code: str
    message: str
    param: str | None


class EventRecord(Kept):
    """Something that happened to a job."""

    object: Literal["fine_tuning.job.event"] = "fine_tuning.job.event"
    level: Literal["info", "warn", "error"] = "info"
    message: str
    type: Literal["message", "metrics"] = "message"
    data: dict[str, JsonValue] | None = None


class JobRecord(Kept):
    """A job as it lies on disk, with its events."""

    object: Literal["fine_tuning.job"] = "fine_tuning.job"
    model: str
    fine_tuned_model: str | None = None
    status: JobStatus = "validating_files"
    training_file: str
    validation_file: str | None
    method: Literal["supervised", "dpo"]
    hyperparameters: Hyperparameters
    seed: int
    suffix: str | None
    metadata: dict[str, str] | None
    error: JobError | None = None
    finished_at: int | None = None
    result_files: tuple[str, ...] = ()
    trained_tokens: int | None = None
    removed: bool = False
    """True once the model was deleted."""
    events: tuple[EventRecord, ...] = ()

    def shown(self) -> dict[str, JsonValue]:
        """The job as clients see it."""
        hidden = {"schema_version", "number", "events", "removed", "suffix", "method", "hyperparameters"}
        shown: dict[str, JsonValue] = self.model_dump(mode="json", exclude=hidden)
        used: JsonValue = self.hyperparameters.shown()
        return {
            **shown,
            "organization_id": _ORGANISATION,
            "user_provided_suffix": self.suffix,
            "hyperparameters": used,
            "method": {"type": self.method, self.method: {"hyperparameters": used}},
            "integrations": [],
            "estimated_finish": None,
        }
