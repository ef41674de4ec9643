"""Batches as they lie on disk and as clients see and ask for them."""

from typing import Literal, TypeAlias

from pydantic import JsonValue

from audit.serving.batch_lines import BatchError
from audit.serving.bodies import Body, Metadata
from audit.serving.shelves import Kept
from probes.records import Record

__all__ = ["BatchCounts", "BatchErrors", "BatchRecord", "BatchRequest", "BatchStatus", "Endpoint"]

Endpoint: TypeAlias = Literal["/v1/chat/completions", "/v1/responses", "/v1/moderations"]
BatchStatus: TypeAlias = Literal[
    "validating", "failed", "in_progress", "finalizing", "completed", "expired", "cancelling", "cancelled"
]


class BatchErrors(Record):
    """What is wrong with an input file."""

    object: Literal["list"] = "list"
    data: tuple[BatchError, ...]


class BatchCounts(Record):
    """How many requests a batch has, and how many are over."""

    total: int = 0
    completed: int = 0
    failed: int = 0


class BatchRecord(Kept):
    """A batch, as clients see it."""

    object: Literal["batch"] = "batch"
    endpoint: Endpoint
    model: str | None = None
    errors: BatchErrors | None = None
    input_file_id: str
    completion_window: Literal["24h"]
    status: BatchStatus = "validating"
    output_file_id: str | None = None
    error_file_id: str | None = None
    in_progress_at: int | None = None
    expires_at: int
    finalizing_at: int | None = None
    completed_at: int | None = None
    failed_at: int | None = None
    expired_at: int | None = None
    cancelling_at: int | None = None
    cancelled_at: int | None = None
    request_counts: BatchCounts = BatchCounts()
    metadata: dict[str, str] | None = None
    usage: dict[str, JsonValue] | None = None


class BatchRequest(Body):
    """What a client asks for."""

    input_file_id: str
    endpoint: Endpoint
    completion_window: Literal["24h"]
    metadata: Metadata | None = None
