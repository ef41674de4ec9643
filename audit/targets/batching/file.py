"""The `batch_file` target: requests go out as files and results come back as files, by whatever carries them.

`vllm run-batch -i FILE -o RESULTS --model MODEL` answers such a file on a machine without a network.
"""

import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, ClassVar

from pydantic import Field

from audit.errors import InputError
from audit.records import Output, Request
from audit.targets.base import FatalTargetError, TargetContext, TargetError, TargetInfo
from audit.targets.batching.base import BatchLimits, BatchState
from audit.targets.batching.lines import LONGEST_LINE, read_result, request_line, result_lines
from audit.targets.batching.unusable import Unusable
from audit.targets.openai_api.options import OpenAIOptions, OpenAIParams, TokenParameter
from audit.targets.openai_api.payloads import chat_payload
from audit.targets.openai_api.replies import read_chat
from probes.base import Options as PluginOptions

__all__ = ["BatchFileOptions", "BatchFileTarget"]

_REQUESTS, _RESULTS = ".jsonl", ".results.jsonl"
_URL = "/v1/chat/completions"
_NO_SERVER = "http://localhost/v1"


class BatchFileOptions(PluginOptions):
    """Where the files lie, and how the model is asked."""

    folder: Annotated[str, Field(min_length=1)] = Field(
        description="Folder of request files (NAME.jsonl) and of results (NAME.results.jsonl), as seen from "
        "the spec."
    )
    model: Annotated[str, Field(min_length=1)] = Field(description="Name of the model in every request.")
    params: OpenAIParams = OpenAIParams()
    token_parameter: TokenParameter = Field(
        default="max_tokens", description="Name under which the limit of tokens is written."
    )
    system: str | None = Field(default=None, description="System prompt put before every conversation.")
    send_seed: bool = Field(default=True, description="Set false for servers that reject `seed`.")
    logprobs: bool = Field(default=False, description="Ask for the log-probability of every answered token.")
    file_requests: Annotated[int, Field(ge=1)] = Field(default=50_000, description="Most requests in a file.")


class BatchFileTarget:
    """Writes requests to files and reads results from files; nothing is contacted."""

    Options: ClassVar[type[PluginOptions]] = BatchFileOptions

    def __init__(self, options: BatchFileOptions, context: TargetContext) -> None:
        """Keep the options; no file is touched."""
        self._options = options
        self._folder = context.root / options.folder
        self._place = f"{options.folder} (model {options.model!r})"
        self._asking = OpenAIOptions(
            base_url=_NO_SERVER,
            **{
                name: getattr(options, name)
                for name in ("model", "params", "system", "send_seed", "logprobs")
            },
        )
        self.batch_limits = BatchLimits(
            requests=options.file_requests, size=200_000_000, reply_tokens=options.params.limit
        )
        self.info = TargetInfo(
            name=context.name,
            deterministic=False,
            facts={
                "type": "batch_file",
                "model": options.model,
                "params": options.params.model_dump_json(exclude_none=True),
                **({} if options.system is None else {"system": options.system}),
            },
        )

    @classmethod
    def secret_names(cls, options: PluginOptions) -> tuple[str, ...]:  # noqa: ARG003 - the seam asks for it
        """None."""
        return ()

    async def generate(self, requests: Sequence[Request], *, seed: int) -> Sequence[Output]:  # noqa: ARG002 - the seam asks for it
        """Nothing: files answer no single question.

        Raises:
            FatalTargetError: Always.
        """
        raise FatalTargetError(f"{self._place}: a batch_file target answers no single question")

    async def aclose(self) -> None:
        """Nothing to give back."""

    def held(self) -> Mapping[str, str]:
        """Where its questions go, how many wait there, and which results are of no use.

        Raises:
            InputError: The folder cannot be written, or a file of results not be read.
        """
        folder = Path(_shown(self._folder))
        there = next(path for path in (folder, *folder.parents) if path.exists())
        if not (there.is_dir() and os.access(there, os.W_OK)):
            raise InputError(f"{folder}: cannot be written (folder)")
        requests = [path for path in folder.glob(f"*{_REQUESTS}") if not path.name.endswith(_RESULTS)]
        waiting = sum(not self._results(path.stem).is_file() for path in requests)
        unusable = [said for path in sorted(folder.glob(f"*{_RESULTS}")) if (said := _unusable(path))]
        return {
            "folder": str(folder),
            "model": self._options.model,
            "request files": f"{len(requests)}, {waiting} of them without results",
            **({"unusable results": "; ".join(unusable)} if unusable else {}),
        }

    def line(self, request: Request, *, seed: int) -> bytes:
        """A request as `vllm run-batch` reads it."""
        body = chat_payload(self._asking, request, seed, self._options.token_parameter)
        return request_line(request, _URL, body)

    async def submit(self, file: Path, tag: str) -> str:
        """Move the file to the folder, durably, under a name that holds the tag."""
        name = f"{self.info.name}-{tag}"
        try:
            _moved(file, self._requests(name))
        except OSError as error:
            raise FatalTargetError(f"{self._folder}: cannot be written: {error.strerror}") from error
        return name

    def submitted_words(self, batch: str) -> str:
        """Which file waits for which."""
        return f"{_shown(self._requests(batch))} waits for {self._results(batch).name}"

    async def find(self, tags: Mapping[str, float]) -> Mapping[str, str]:
        """Tags whose request file lies in the folder."""
        names = {tag: f"{self.info.name}-{tag}" for tag in tags}
        return {tag: name for tag, name in names.items() if self._requests(name).is_file()}

    async def state(self, batch: str) -> BatchState:
        """Ended when every request has a result, or when the request file was taken away."""
        requests, results = self._requests(batch), self._results(batch)
        if not requests.is_file():
            words = f"{_shown(requests)} was taken away"
            return BatchState(ended=True, readable=results.is_file(), words=words)
        if not results.is_file():
            return BatchState(ended=False, readable=False, words=self.submitted_words(batch))
        planned, there = _lines(requests), _lines(results)
        words = f"{_shown(results)} holds {there} of {planned} results"
        return BatchState(ended=there >= planned, readable=True, words=words)

    async def fetch(self, batch: str, into: Path) -> Path:  # noqa: ARG002 - they need not be copied
        """The file of results, where it lies."""
        return self._results(batch)

    def read(self, line: bytes) -> Output | None:
        """The output in a line of results."""
        return read_result(line, read_chat, self.info.name, self._place)

    def _requests(self, name: str) -> Path:
        return self._folder / f"{name}{_REQUESTS}"

    def _results(self, name: str) -> Path:
        return self._folder / f"{name}{_RESULTS}"


def _moved(file: Path, to: Path) -> None:
    """Move a file so that a power cut leaves it whole at its new place, or not there at all."""
    to.parent.mkdir(parents=True, exist_ok=True)
    beside = to.with_name(f"{to.name}.part")  # The run may lie on another disk.
    shutil.copyfile(file, beside)
    with beside.open("rb") as copy:
        os.fsync(copy.fileno())
    beside.replace(to)
    handle = os.open(to.parent, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _shown(path: Path) -> str:
    """A path for people, without the way there and back from the run to the spec."""
    return os.path.normpath(path)


def _unusable(results: Path) -> str | None:
    """What is said of the lines of a file that name no request; one that is being written does not count."""
    found = Unusable()
    try:
        with results.open("rb") as file:
            for number, line in enumerate(result_lines(file), start=1):
                if _is_whole(line):
                    found.note(number, line)
    except OSError as error:
        raise InputError(f"{results}: cannot be read: {error.strerror}") from error
    return found.words(results.name)


def _is_whole(line: bytes) -> bool:
    """Whether a line is not being written any more: it has its end, or is too long to be read so far."""
    return line.endswith(b"\n") or len(line) > LONGEST_LINE


def _lines(path: Path) -> int:
    """Whole lines in a file; one that is being written does not count."""
    try:
        with path.open("rb") as file:
            return sum(_is_whole(line) and bool(line.strip()) for line in result_lines(file))
    except OSError as error:
        raise TargetError(f"{path}: cannot be read: {error.strerror}") from error
