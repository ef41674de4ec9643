"""`/v1/batches`: jobs over an uploaded file, which go on where they stopped when the server starts again."""

import asyncio
import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from audit.errors import AuditError
from audit.serving.api_errors import ApiError, invalid, not_found
from audit.serving.batch_answers import Answerers, answered_line, expired_line, usage_of
from audit.serving.batch_lines import BatchError, Journal, JournalLine, Line, checked_lines, read_lines
from audit.serving.batch_records import BatchCounts, BatchErrors, BatchRecord, BatchRequest, BatchStatus
from audit.serving.files import FileRecord, Files
from audit.serving.pacing import Pace
from audit.serving.shelves import Shelf, new_id

__all__ = ["Batches"]

_LOGGER = logging.getLogger(__name__)
_AT_A_TIME = 16
"""Requests of a batch that are in flight together."""

_UNDER_WAY = ("validating", "in_progress", "finalizing", "cancelling")


@dataclass(slots=True)
class _Progress:
    """How far a batch has come."""

    done: int
    failed: int

    def add(self, entry: JournalLine) -> None:
        self.done += 1
        self.failed += entry.file == "error"


class Batches:
    """All batches, and the tasks that work on those that are under way."""

    def __init__(self, folder: Path, files: Files, answering: Answerers, pace: Pace) -> None:
        """Read what is there; nothing is begun yet.

        Args:
            folder: Where batches lie.
            files: Input and output files.
            answering: Who answers, endpoint by endpoint.
            pace: How long jobs take.

        Raises:
            InputError: A record is damaged.
        """
        self._folder = folder
        self._shelf = Shelf(folder, BatchRecord)
        self._files = files
        self._answerers = answering.by_endpoint
        self._check_model = answering.check_model
        self._pace = pace
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def listed(self) -> list[BatchRecord]:
        """All batches, the newest first."""
        return self._shelf.newest_first()

    def find(self, name: str) -> BatchRecord:
        """A batch.

        Raises:
            ApiError: 404; there is none of that id.
        """
        record = self._shelf.find(name)
        if record is None:
            raise not_found("Batch", name)
        return record

    def create(self, request: BatchRequest) -> BatchRecord:
        """Begin a batch.

        Raises:
            ApiError: The input file is missing or was uploaded for something else.
        """
        file = self._files.find(request.input_file_id, param="input_file_id")
        if file.purpose != "batch":
            said = f"Invalid file purpose: '{file.purpose}'. Batch input files need the purpose 'batch'."
            raise invalid(said, param="input_file_id")
        now = int(self._pace.now())
        record = self._shelf.add(
            BatchRecord(
                id=new_id("batch_"),
                created_at=now,
                expires_at=now + max(1, int(self._pace.window_s)),
                **dict(request),
            )
        )
        self._begin(record)
        return record

    def cancel(self, name: str) -> BatchRecord:
        """Stop a batch; what was answered so far is kept.

        Raises:
            ApiError: There is none of that id, or it is over.
        """
        record = self.find(name)
        if record.status not in _UNDER_WAY:
            raise invalid(f"Cannot cancel a batch with status '{record.status}'.", code=None)
        if record.status != "cancelling":
            record = self._changed(record, status="cancelling", cancelling_at=int(self._pace.now()))
            self._begin(record)
        return record

    def resume(self) -> None:
        """Go on with what was under way when the server stopped."""
        for record in self._shelf.newest_first():
            if record.status in _UNDER_WAY:
                self._begin(record)

    async def aclose(self) -> None:
        """Stop working; a later server goes on."""
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    def _begin(self, record: BatchRecord) -> None:
        earlier = self._tasks.get(record.id)
        if earlier is not None:
            # Now, not when the new task runs: it must not go on from the status that was.
            earlier.cancel()
        task = asyncio.create_task(self._work(record.id, earlier))
        self._tasks[record.id] = task
        task.add_done_callback(lambda done: self._over(record.id, done))

    def _over(self, name: str, done: asyncio.Task[None]) -> None:
        if self._tasks.get(name) is done:
            del self._tasks[name]

    async def _work(self, name: str, earlier: asyncio.Task[None] | None) -> None:
        if earlier is not None:
            await asyncio.wait([earlier])
        try:
            record = self.find(name)
            if record.status == "validating":
                record = await self._validate(record)
            if record.status == "in_progress":
                record = await self._answer(record)
            if record.status in ("finalizing", "cancelling"):
                self._finish(record)
        except ApiError as error:
            gone = BatchError(code="invalid_input_file", message=str(error), param="input_file_id")
            self._fail(self.find(name), [gone])
        except (AuditError, OSError, ExceptionGroup):
            # A full disk, or a fault of ours: the batch stays as it is until the next start.
            _LOGGER.exception("batch %s", name)

    async def _validate(self, record: BatchRecord) -> BatchRecord:
        await asyncio.sleep(self._pace.least_s / 2)
        path = self._files.path(self._files.find(record.input_file_id))
        total, model, errors = await asyncio.to_thread(checked_lines, path, record.endpoint)
        if not errors and record.endpoint != "/v1/moderations":
            errors = self._unknown(model)
        if errors:
            return self._fail(record, errors)
        now, counts = int(self._pace.now()), BatchCounts(total=total)
        return self._changed(
            record, status="in_progress", in_progress_at=now, model=model, request_counts=counts
        )

    def _unknown(self, model: str | None) -> list[BatchError]:
        try:
            self._check_model(str(model))
        except ApiError as error:
            return [BatchError(code="model_not_found", message=str(error), param="body.model", line=1)]
        return []

    def _fail(self, record: BatchRecord, errors: list[BatchError]) -> BatchRecord:
        now = int(self._pace.now())
        return self._changed(record, status="failed", failed_at=now, errors=BatchErrors(data=tuple(errors)))

    async def _answer(self, record: BatchRecord) -> BatchRecord:
        journal = self._journal(record)
        done = journal.read()
        failed = sum(1 for entry in done.values() if entry.file == "error")
        progress = _Progress(done=len(done), failed=failed)
        self._count(record.id, progress)
        path = self._files.path(self._files.find(record.input_file_id))
        waiting = ((number, raw) for number, raw in read_lines(path) if number not in done)
        left = record.expires_at - self._pace.now()
        try:
            async with asyncio.timeout(max(0.0, left)):
                await asyncio.sleep(self._pace.least_s / 2)
                async with asyncio.TaskGroup() as group:
                    for _ in range(_AT_A_TIME):
                        group.create_task(self._take(record, waiting, journal, progress))
        except TimeoutError:
            self._expire(record, journal)
        return self._changed(self.find(record.id), status="finalizing", finalizing_at=int(self._pace.now()))

    async def _take(
        self,
        record: BatchRecord,
        waiting: Iterator[tuple[int, bytes]],
        journal: Journal,
        progress: _Progress,
    ) -> None:
        """Answer lines until none is waiting."""
        for number, raw in waiting:
            line = Line.model_validate(json.loads(raw))
            entry = await answered_line(record.id, number, line, self._answerers[record.endpoint])
            journal.append(entry)
            progress.add(entry)
            self._count(record.id, progress)
            # Answers may come without ever waiting; other requests must have their turn.
            await asyncio.sleep(0)

    def _count(self, name: str, progress: _Progress) -> None:
        record = self.find(name)
        counts = BatchCounts(
            total=record.request_counts.total,
            completed=progress.done - progress.failed,
            failed=progress.failed,
        )
        # The journal has it on disk already.
        self._shelf.show(record.model_copy(update={"request_counts": counts}))

    def _expire(self, record: BatchRecord, journal: Journal) -> None:
        done = set(journal.read())
        path = self._files.path(self._files.find(record.input_file_id))
        for number, raw in read_lines(path):
            if number not in done:
                line = Line.model_validate(json.loads(raw))
                journal.append(expired_line(record.id, number, line))
        self._changed(self.find(record.id), expired_at=int(self._pace.now()))

    def _finish(self, record: BatchRecord) -> None:
        entries = [entry for _, entry in sorted(self._journal(record).read().items())]
        now = int(self._pace.now())
        status: BatchStatus = "completed"
        if record.status == "cancelling":
            status = "cancelled"
        elif record.expired_at is not None:
            status = "expired"
        failed = sum(1 for entry in entries if entry.file == "error")
        total = record.request_counts.total
        self._changed(
            record,
            status=status,
            **{f"{status}_at": now},
            output_file_id=self._file_of(record, entries, "output"),
            error_file_id=self._file_of(record, entries, "error"),
            request_counts=BatchCounts(total=total, completed=len(entries) - failed, failed=failed),
            usage=usage_of(entries),
        )
        self._journal(record).path.unlink(missing_ok=True)

    def _file_of(
        self, record: BatchRecord, entries: list[JournalLine], which: Literal["output", "error"]
    ) -> str | None:
        lines = [entry.text.encode("latin-1") + b"\n" for entry in entries if entry.file == which]
        if not lines:
            return None
        name = f"{record.id}_{which}.jsonl"
        # Killed while finishing, it finds the file that it had written.
        known = [file for file in self._files.listed("batch_output") if file.filename == name]
        made: FileRecord = known[0] if known else self._files.write(lines, name, "batch_output")
        return made.id

    def _journal(self, record: BatchRecord) -> Journal:
        return Journal(path=self._folder / f"{record.id}.journal")

    def _changed(self, record: BatchRecord, **changes: object) -> BatchRecord:
        changed = record.model_copy(update=changes)
        self._shelf.put(changed)
        return changed
