"""The `transformers` target: a causal language model on this machine, in batches, with or without an adapter.

What a request is answered does not depend on the batch it was in, up to rounding: every request draws from
its own seed (see `transformers_sampling`). No file is had from a network unless the spec allows it.
"""

import asyncio
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from audit.errors import ExtraMissingError, InputError
from audit.records import Output, Request, Usage
from audit.targets.base import FatalTargetError, TargetContext, TargetError, TargetInfo, output_for
from audit.targets.finish import split_reasoning
from audit.targets.installed import missing_packages
from audit.targets.local_model.options import TransformersOptions
from audit.targets.openai_api.errors import without_secrets
from audit.targets.python.threads import CallThreads
from audit.targets.request_template import only_prompt
from probes.base import Options as PluginOptions
from probes.data import file_sha256
from probes.seeds import rng

if TYPE_CHECKING:
    from audit.targets.local_model.model import Answered, LocalModel

__all__ = ["TransformersTarget"]

_HUB = ("huggingface.co:443", "cdn-lfs.huggingface.co:443", "cas-bridge.xethub.hf.co:443")
_CONFIG, _ADAPTER_CONFIG = "config.json", "adapter_config.json"
_ADAPTER_WEIGHTS = "adapter_model.safetensors"
_CPU_MEMORY = ("not enough memory", "can't allocate memory")


class TransformersTarget:
    """Answers with a local model.

    The weights are loaded at the first `generate` and given back by `aclose`. Do not run two on one GPU.
    """

    Options: ClassVar[type[PluginOptions]] = TransformersOptions

    def __init__(self, options: TransformersOptions, context: TargetContext) -> None:
        """Look for the files; nothing is loaded and no library imported.

        Raises:
            ExtraMissingError: torch, transformers or, for an adapter, peft is not installed.
            InputError: The folder of the model or of the adapter is not there.
        """
        missing = missing_packages("torch", "transformers", *(("peft",) if options.adapter else ()))
        if missing:
            raise ExtraMissingError(
                f"target transformers needs {', '.join(missing)}",
                next_step='pip install "evenhand[transformers]"',
            )
        self._options = options
        self._source = _source(options, context.root)
        self._adapter = None if options.adapter is None else _adapter(context.root / options.adapter)
        self._fits = options.batch_size
        self._model: LocalModel | None = None
        self._threads: CallThreads | None = None
        self._stop = threading.Event()
        self.info = TargetInfo(
            name=context.name,
            deterministic=True,
            batch_size=options.batch_size,
            max_in_flight=1,
            one_message="chat: template" if options.chat == "plain" else None,
            hosts=_HUB if options.download else (),
            facts=_facts(options, self._source, self._adapter),
        )

    @classmethod
    def secret_names(cls, options: PluginOptions) -> tuple[str, ...]:  # noqa: ARG003 - the seam asks for it
        """None: a model that the hub gives to some only has to be fetched before."""
        return ()

    async def generate(self, requests: Sequence[Request], *, seed: int) -> Sequence[Output]:
        """One output for each request, in order; a conversation that is too long is an errored output.

        Each request draws from a generator of its prompt, turn and repeat.

        Raises:
            FatalTargetError: The model does not load.
            TargetError: Memory does not suffice for one request by itself.
        """
        if self._threads is None:
            self._threads, self._stop = CallThreads(1), threading.Event()
        stop = self._stop
        try:
            answer, error = await self._threads.call(lambda _: self._answered(requests, seed, stop), None)
        except asyncio.CancelledError:
            stop.set()  # the thread ends at its next token, and nobody reads what it has
            self._stop = threading.Event()
            raise
        if error is not None:
            raise error
        assert isinstance(answer, list)  # noqa: S101 - what `_answered` gives
        return answer

    async def aclose(self) -> None:
        """End the thread and give the memory back; a later `generate` loads again."""
        self._stop.set()
        threads, self._threads, self._model = self._threads, None, None
        if threads is not None:
            threads.close()

    def _answered(self, requests: Sequence[Request], seed: int, stop: threading.Event) -> list[Output]:
        model = self._model = self._model or self._load()
        outputs: dict[int, Output] = {}
        rows: dict[int, list[int]] = {}
        for place, request in enumerate(requests):
            try:
                rows[place] = self._tokens(model, request)
            except TargetError as error:
                outputs[place] = output_for(request, self.info.name, error=str(error))
        # Rows of like length together: the less padding, the less is computed for nothing.
        order = sorted(rows, key=lambda place: (len(rows[place]), place))
        while order:
            taken, order = order[: self._fits], order[self._fits :]
            draws = [
                rng(seed, "transformers", r.prompt_id, r.turn, r.repeat)
                for r in (requests[place] for place in taken)
            ]
            answers = self._batch(model, [rows[place] for place in taken], draws, stop)
            if answers is None:
                order = taken + order
                continue
            for place, answer in zip(taken, answers, strict=True):
                outputs[place] = self._output(requests[place], answer)
        return [outputs[place] for place in range(len(requests))]

    def _batch(
        self,
        model: "LocalModel",
        rows: Sequence[list[int]],
        draws: Sequence[np.random.Generator],
        stop: threading.Event,
    ) -> "list[Answered] | None":
        """The answers; None if memory did not suffice, and half as many are to be tried."""
        import torch  # noqa: PLC0415 - an extra, loaded with the model

        try:
            return model.answer(rows, draws, stop.is_set)
        except RuntimeError as error:  # torch.OutOfMemoryError is one
            said = str(error)
            if not isinstance(error, torch.OutOfMemoryError) and not any(w in said for w in _CPU_MEMORY):
                raise
            if len(rows) == 1:
                raise TargetError(
                    f"{self._source}: memory does not suffice for {len(rows[0])} tokens and an answer of "
                    f"{self._options.params.max_tokens}; lower params.max_tokens"
                ) from error
            self._fits = len(rows) // 2
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        return None

    def _tokens(self, model: "LocalModel", request: Request) -> list[int]:
        system = self._options.system
        messages = [] if system is None else [{"role": "system", "content": system}]
        messages += [{"role": message.role, "content": message.content} for message in request.messages]
        if not model.chat:
            only_prompt(request, "chat: plain holds one")
        try:
            row = model.tokens(messages)
        except Exception as error:
            raise TargetError(f"the chat template failed: {_one_line(error)}") from error
        room, longest = model.room(), self._options.params.max_tokens
        if not row:
            raise TargetError("the prompt has no tokens")
        if room is not None and len(row) + longest > room:
            raise TargetError(
                f"the prompt has {len(row)} tokens, the answer may have {longest}, and the model holds {room}"
            )
        return row

    def _output(self, request: Request, answer: "Answered") -> Output:
        parts = split_reasoning(answer.text)
        return output_for(
            request,
            self.info.name,
            text=parts.text,
            reasoning=parts.reasoning,
            finish_reason=answer.finish_reason,
            usage=Usage(prompt_tokens=answer.prompt_tokens, completion_tokens=answer.completion_tokens),
            logprobs=answer.logprobs,
            model=self._options.model,
        )

    def _load(self) -> "LocalModel":
        from audit.targets.local_model.model import LocalModel  # noqa: PLC0415 - seconds of import

        try:
            return LocalModel(self._options, self._source, self._adapter)
        except (OSError, ValueError, ImportError, KeyError, RuntimeError) as error:
            raise FatalTargetError(f"{self._source}: does not load: {_one_line(error)}") from error


def _source(options: TransformersOptions, root: Path) -> str:
    """The folder of the model, or its name on the hub."""
    folder = root / options.model
    if (folder / _CONFIG).is_file():
        return str(folder)
    if options.download and not folder.exists():
        return options.model
    raise InputError(
        f"{folder}: no folder of a model, it has no {_CONFIG} (model)",
        next_step=None
        if options.download
        else "give its folder, or set download: true to name one of the hub",
    )


def _adapter(folder: Path) -> Path:
    for name in (_ADAPTER_CONFIG, _ADAPTER_WEIGHTS):
        if not (folder / name).is_file():
            raise InputError(f"{folder}: no folder of an adapter, it has no {name} (adapter)")
    return folder


def _facts(options: TransformersOptions, source: str, adapter: Path | None) -> dict[str, str]:
    facts = {
        "type": "transformers",
        "model": options.model,
        "params": options.params.model_dump_json(exclude_defaults=True),
        "chat": options.chat,
        "dtype": options.dtype,
        "device": options.device,
    }
    if (config := Path(source) / _CONFIG).is_file():
        facts["config_sha256"] = file_sha256(config)
        weights = sorted(Path(source).glob("*.safetensors"))
        facts["weights"] = ", ".join(f"{path.name} of {path.stat().st_size} bytes" for path in weights)
    if options.revision is not None:
        facts["revision"] = options.revision
    if adapter is not None:
        facts["adapter"] = str(options.adapter)
        facts["adapter_sha256"] = file_sha256(adapter / _ADAPTER_WEIGHTS)
    if options.system is not None:
        facts["system"] = options.system
    return facts


def _one_line(error: BaseException) -> str:
    return without_secrets(f"{type(error).__name__}: {error}", ())
