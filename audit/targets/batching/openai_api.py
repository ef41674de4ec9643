"""The `openai_batch` target: a model behind an OpenAI-compatible Batch API, at the batch's price.

Requests go as files to `/files`, batches of them to `/batches`, and results are fetched once a batch has
ended, usually within a day. Each batch carries this program's tag as metadata, so that a batch whose
submission was cut off before its id was kept is found again among the account's batches.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from audit.records import Output, Request
from audit.targets.base import RetryableTargetError, TargetContext, TargetInfo
from audit.targets.batching.base import BatchLimits, BatchState, NotTakenError
from audit.targets.batching.lines import read_result, request_line
from audit.targets.openai_api.client import request_options
from audit.targets.openai_api.errors import error_body, status_error, without_secrets
from audit.targets.openai_api.options import OpenAIOptions
from audit.targets.openai_api.payloads import payload_for
from audit.targets.openai_api.replies import ErrorBody, Loose, read_body, read_chat
from audit.targets.openai_api.responses import read_response
from audit.targets.openai_api.target import OpenAITarget
from audit.targets.openai_api.transport import transport_error
from probes.base import Options as PluginOptions

if TYPE_CHECKING:
    import openai

__all__ = ["OpenAIBatchOptions", "OpenAIBatchTarget"]

_TAG = "evenhand"
_ENDED = frozenset({"completed", "failed", "expired", "cancelled"})
_PAGE = 100
_CLOCKS_APART_S = 86_400.0
"""How far the provider's clock may be behind ours when a batch is looked for, in seconds."""
_CHUNK = 1 << 20


class OpenAIBatchOptions(OpenAIOptions):
    """One model on one server with a Batch API; everything `openai` takes, and how large a batch may be."""

    batch_requests: Annotated[int, Field(ge=1, le=100_000)] = Field(
        default=50_000, description="Most requests in one batch."
    )
    batch_megabytes: Annotated[float, Field(gt=0, le=1000)] = Field(
        default=200.0, description="Largest file of one batch, in millions of bytes."
    )
    endpoint: Annotated[str, Field(pattern="^/")] | None = Field(
        default=None,
        description="Path that the requests of a batch are meant for; /v1/chat/completions or /v1/responses, "
        "after api, if absent.",
    )
    completion_window: Literal["24h"] = Field(default="24h", description="How long the provider may take.")

    @model_validator(mode="after")
    def _undated(self) -> Self:
        if self.api_version is not None:
            raise ValueError(
                "api_version: batches go by Azure's undated interface; remove it, end base_url in /v1"
            )
        return self

    @property
    def url(self) -> str:
        """Path that the requests of a batch are meant for."""
        return self.endpoint or f"/v1{self.path}"


class _File(Loose):
    id: str


class _Errors(Loose):
    data: list[ErrorBody] | None = None


class _Counts(Loose):
    total: int = 0
    completed: int = 0
    failed: int = 0


class _Batch(Loose):
    id: str
    status: str
    created_at: float = 0.0
    output_file_id: str | None = None
    error_file_id: str | None = None
    errors: _Errors | None = None
    metadata: dict[str, str] | None = None
    request_counts: _Counts | None = None


class _Page(Loose):
    data: list[_Batch]
    has_more: bool = False


class OpenAIBatchTarget:
    """Asks one model in batches; single questions (`targets check`) go to the same server at once."""

    Options: ClassVar[type[PluginOptions]] = OpenAIBatchOptions

    def __init__(self, options: OpenAIBatchOptions, context: TargetContext) -> None:
        """Keep the options; nothing is contacted."""
        self._options = options
        self._single = OpenAITarget(options, context)
        self._secrets = tuple(context.secrets.get(name, "") for name in options.secrets)
        self._reader = read_chat if options.api == "chat" else read_response
        self._place = f"{options.host} (model {options.model!r})"
        self.batch_limits = BatchLimits(
            requests=options.batch_requests,
            size=round(options.batch_megabytes * 1e6),
            reply_tokens=options.params.limit,
        )
        single = self._single.info
        self.info = TargetInfo(
            name=single.name,
            deterministic=False,
            max_in_flight=single.max_in_flight,
            hosts=single.hosts,
            facts={**single.facts, "type": "openai_batch"},
        )

    @classmethod
    def secret_names(cls, options: PluginOptions) -> tuple[str, ...]:
        """The variables that `openai` needs."""
        return OpenAITarget.secret_names(options)

    async def generate(self, requests: Sequence[Request], *, seed: int) -> Sequence[Output]:
        """Answers at once, without a batch, as the `openai` target gives them."""
        return await self._single.generate(requests, seed=seed)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._single.aclose()

    def line(self, request: Request, *, seed: int) -> bytes:
        """A request as the Batch API reads it."""
        options = self._options
        body = payload_for(options, request, seed, options.first_token_parameter)
        return request_line(request, options.url, body)

    async def submit(self, file: Path, tag: str) -> str:
        """Upload the file and make a batch of it; see `BatchTarget.submit`."""
        try:
            uploaded = await self._upload(file, tag)
        except RetryableTargetError as error:
            raise NotTakenError(
                str(error), retry_after_s=error.retry_after_s, unreachable=error.unreachable
            ) from error
        async with self._calling() as client:
            made = await client.batches.with_raw_response.create(
                input_file_id=uploaded.id,
                # The library's list of paths is closed, but other servers know others.
                endpoint=self._options.url,  # type: ignore[arg-type]
                completion_window=self._options.completion_window,
                metadata={_TAG: tag},
                extra_headers=self._headers(),
            )
            return read_body(_Batch, made.content, self._place).id

    async def _upload(self, file: Path, tag: str) -> _File:
        async with self._calling() as client:
            with file.open("rb") as lines:
                response = await client.files.with_raw_response.create(
                    file=(f"{_TAG}-{tag}.jsonl", lines, "application/jsonl"),
                    purpose="batch",
                    extra_headers=self._headers(),
                )
            return read_body(_File, response.content, self._place)

    def submitted_words(self, batch: str) -> str:  # noqa: ARG002 - the seam gives it
        """That it was submitted; its id is in the store."""
        return "just submitted"

    async def find(self, tags: Mapping[str, float]) -> Mapping[str, str]:
        """Ids of the account's batches that carry one of these tags."""
        found: dict[str, str] = {}
        oldest = min(tags.values(), default=0.0) - _CLOCKS_APART_S
        async for batch in self._batches():
            tag = (batch.metadata or {}).get(_TAG, "")
            if tag in tags:
                found[tag] = batch.id
            if len(found) == len(tags) or 0 < batch.created_at < oldest:
                break  # The list begins with the newest.
        return found

    async def state(self, batch: str) -> BatchState:
        """What the provider says of a batch."""
        read = await self._retrieve(batch)
        counts = read.request_counts or _Counts()
        told = f"; {counts.completed} of {counts.total} answered" if counts.total else ""
        errors = (read.errors.data or []) if read.errors is not None else []
        why = "; ".join(without_secrets(error.message or "", self._secrets) for error in errors[:3])
        return BatchState(
            ended=read.status in _ENDED,
            readable=read.status in _ENDED and bool(read.output_file_id or read.error_file_id),
            words=f"batch {batch}: {without_secrets(read.status, self._secrets)}{told}"
            + (f": {why}" if why else ""),
        )

    async def fetch(self, batch: str, into: Path) -> Path:
        """Download the answers, and the errors after them, into one file."""
        read = await self._retrieve(batch)
        with into.open("wb") as lines:
            for file in (read.output_file_id, read.error_file_id):
                if not file:
                    continue
                async with (
                    self._calling() as client,
                    client.files.with_streaming_response.content(
                        file, extra_headers=self._headers()
                    ) as response,
                ):
                    async for chunk in response.iter_bytes(_CHUNK):
                        lines.write(chunk)
                lines.write(b"\n")  # Not every server ends its last line.
        return into

    def read(self, line: bytes) -> Output | None:
        """The output in a line of results."""
        return read_result(line, self._reader, self.info.name, self._place, self._secrets)

    def _headers(self) -> "openai._types.Headers | None":
        """What every call sends besides: no bearer where another header carries the key."""
        return request_options(self._options.key_name).get("headers")

    async def _retrieve(self, batch: str) -> _Batch:
        async with self._calling() as client:
            response = await client.batches.with_raw_response.retrieve(batch, extra_headers=self._headers())
            return read_body(_Batch, response.content, self._place)

    async def _batches(self) -> AsyncIterator[_Batch]:
        import openai  # noqa: PLC0415 - as below

        last: str | None = None
        while True:
            async with self._calling() as client:
                after = openai.omit if last is None else last
                response = await client.batches.with_raw_response.list(
                    limit=_PAGE, after=after, extra_headers=self._headers()
                )
                page = read_body(_Page, response.content, self._place)
            for batch in page.data:
                yield batch
            if not page.has_more or not page.data or page.data[-1].id == last:
                return
            last = page.data[-1].id

    @asynccontextmanager
    async def _calling(self) -> AsyncIterator["openai.AsyncOpenAI"]:
        """The client, with what its calls raise told as errors of targets."""
        import httpx2  # noqa: PLC0415 - comes with the SDK, which loads when first used
        import openai  # noqa: PLC0415 - takes most of a second, and only what is asked needs it

        client = self._single.connected()
        try:
            yield client
        except openai.APIStatusError as error:
            body, headers = error_body(await _content(error)), error.response.headers
            raise status_error(
                error.status_code, body, headers, place=self._place, secrets=self._secrets
            ) from error
        except (openai.APIConnectionError, httpx2.HTTPError) as error:
            raise transport_error(error, self._options.timeout_s, self._place) from error


async def _content(error: "openai.APIStatusError") -> bytes:
    """The body of a failed response, which a streamed one has not read yet."""
    return await error.response.aread()
