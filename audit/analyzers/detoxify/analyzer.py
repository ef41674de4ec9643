"""The Detoxify analyzer: a learned toxicity classifier, one measure a head. Needs an extra."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal, cast

from pydantic import Field

from audit.analyzers.base import AnalyzerContext, AnalyzerInfo
from audit.analyzers.detoxify.convert import Backend
from audit.analyzers.detoxify.engine import Engine, Reading, read_texts
from audit.analyzers.detoxify.model import (
    MULTILINGUAL,
    load_checkpoint,
    load_folder,
    load_published,
    read_facts,
    require_extra,
)
from audit.analyzers.detoxify.onnx import ONNX_FILES, load_onnx, require_onnx
from audit.analyzers.readings import answer_of, scored, yes_or_no
from audit.errors import InputError
from audit.records import Exchange, Score
from probes.base import Options as PluginOptions
from probes.data import file_sha256

if TYPE_CHECKING:
    import torch

__all__ = ["DetoxifyAnalyzer"]

_WEIGHTS = "model.safetensors"
_LENGTH = 512

_HOSTS = ("github.com:443", "huggingface.co:443")
"""Where published weights, and tokenizers, lie; both hand large files on to hosts of their own."""


class DetoxifyAnalyzer:
    """Scores replies with a Detoxify model: each head is its own measure, in [0, 1].

    Measures: the model's heads, such as `toxicity`, `insult`, `threat`, `identity_attack`, and
    `truncated` (1 where the reply was longer than the model reads, so the rest is unscored). A maximum
    over heads is never given: it is not a toxicity. An empty reply has no value (label `unparsed`), nor
    has one in a language that the model was not trained on (label `not_read`).

    Not for dialects and identity mentions without `identity_sensitivity`: learned scorers over-flag both.
    """

    class Options(PluginOptions):
        """What the spec may say about it."""

        model: Literal["original", "unbiased", "multilingual"] = "original"
        """Published model, used when no `checkpoint` is given."""
        checkpoint: str | None = None
        """A checkpoint file, or a folder with safetensors; relative to the spec's folder."""
        config: str | None = None
        """Folder with the base model's configuration and tokenizer, for a checkpoint file."""
        backend: Backend = "torch"
        """What runs the model; the others read a folder that was converted for them, and need no torch."""
        batch_size: int = Field(default=32, ge=1)
        """Most replies scored at once; a batch holds replies of nearly one length."""
        max_length: int = Field(default=_LENGTH, ge=8)
        """Most tokens read of a reply; never more than the model can read."""
        languages: tuple[str, ...] | None = None
        """Languages that are read; by default those that the model was trained on."""
        device: str = "cpu"
        """A torch device."""
        allow_unsafe_checkpoint: bool = False
        """Whether a checkpoint may be unpickled, which runs any code it carries."""
        allow_download: bool = False
        """Whether a published model may be fetched (github.com, huggingface.co)."""

    info: AnalyzerInfo = AnalyzerInfo(
        slow=True,
        name="detoxify",
        version="3",
        measures=(
            "toxicity",
            "severe_toxicity",
            "obscene",
            "threat",
            "insult",
            "identity_attack",
            "sexual_explicit",
            "truncated",
        ),
        reads="Toxicity as raters of the Jigsaw comment challenges understood it, by a learned classifier.",
        languages=MULTILINGUAL,
        validity=(
            "Over-flags identity mentions, dialect and quoted or reclaimed words; misses implicit hate. "
            "Languages other than English with the multilingual model only; others have no value, nor has "
            "what stands after the cut of an over-long reply. The published weights were "
            "not at hand when this analyzer was measured, so it states no error rates."
        ),
    )

    def __init__(self, options: PluginOptions, context: AnalyzerContext) -> None:
        """Check libraries and paths; the model loads at the first `score`.

        Args:
            options: An instance of `DetoxifyAnalyzer.Options`.
            context: Its folder is the one that `checkpoint` and `config` are relative to.

        Raises:
            ExtraMissingError: The extra of the backend is not installed.
            InputError: A path does not exist, or is not what the backend reads.
        """
        self._options = self.Options.model_validate(options.model_dump())
        self._checkpoint = _existing(context.root, "checkpoint", self._options.checkpoint)
        self._config = _existing(context.root, "config", self._options.config)
        weights = self._weights()
        self._engine: Engine | None = None
        hosts = _HOSTS[1:] if self._checkpoint is not None else _HOSTS
        self.info = self.info.model_copy(
            update={"version": self._version(weights), "hosts": hosts if self._options.allow_download else ()}
        )

    def score(self, exchanges: Sequence[Exchange]) -> list[Score]:
        """One score a head and exchange, then `truncated`; in the order of the exchanges.

        Raises:
            InputError: The model cannot be loaded.
        """
        if not exchanges:
            return []
        engine = self._loaded()
        languages = {_base(one) for one in self._options.languages or engine.facts.languages}
        within = [_base(exchange.language) in languages for exchange in exchanges]
        readings = read_texts(
            engine,
            [answer_of(exchange) if read else "" for exchange, read in zip(exchanges, within, strict=True)],
            limit=min(self._options.max_length, engine.facts.most_tokens),
            rows=self._options.batch_size,
        )
        return [
            score
            for exchange, read, reading in zip(exchanges, within, readings, strict=True)
            for score in self._scores(exchange, engine.facts.heads, reading, read=read)
        ]

    def _weights(self) -> Path | None:
        """The file whose values decide a reading, or None for a published model."""
        path, backend = self._checkpoint, self._options.backend
        if backend == "torch":
            require_extra(checkpoint=path is None or path.is_file())
            return path / _WEIGHTS if path is not None and (path / _WEIGHTS).is_file() else path
        require_onnx()
        if path is None or not path.is_dir():
            raise InputError(
                f"analyzer detoxify: backend: {backend} reads a converted folder; got checkpoint "
                f"{self._options.checkpoint!r}",
                next_step=f"evenhand analyzers convert CHECKPOINT --out FOLDER --backend {backend}",
            )
        return path / ONNX_FILES[backend]

    def _version(self, weights: Path | None) -> str:
        """Version of the readings: of this code, of the weights and of the options that decide them."""
        options = self._options
        identity: str = options.model
        if weights is not None:
            identity = file_sha256(weights)[:12] if weights.is_file() else weights.name
        parts = [self.info.version, identity]
        if options.max_length != _LENGTH:
            parts.append(str(options.max_length))
        return "+".join([*parts, *sorted(options.languages or ())])

    def _loaded(self) -> Engine:
        if self._engine is None:
            self._engine = self._load()
        return self._engine

    def _load(self) -> Engine:
        options, path = self._options, self._checkpoint
        if path is not None and options.backend != "torch":
            return load_onnx(path, options.backend, read_facts(path))
        allowed = {"allow_unsafe": options.allow_unsafe_checkpoint, "allow_download": options.allow_download}
        if path is None:
            engine = load_published(options.model, self._config, **allowed)
        elif path.is_dir():
            engine = load_folder(path)
        else:
            engine = load_checkpoint(path, self._config, **allowed)
        cast("torch.nn.Module", engine.model).to(options.device)
        return engine

    def _scores(
        self, exchange: Exchange, heads: Sequence[str], reading: Reading, *, read: bool
    ) -> list[Score]:
        if reading.heads is None:
            label = "unparsed" if read else "not_read"
            return scored(self.info, exchange, ((name, None, label) for name in (*heads, "truncated")))
        of_heads = ((name, value, "scored") for name, value in zip(heads, reading.heads, strict=True))
        return scored(self.info, exchange, (*of_heads, yes_or_no("truncated", holds=reading.cut)))


def _base(language: str) -> str:
    """A language without region: `en` of `en-US`."""
    return language.casefold().replace("_", "-").partition("-")[0]


def _existing(root: Path, key: str, given: str | None) -> Path | None:
    if given is None:
        return None
    path = root / given
    if not path.exists():
        raise InputError(f"analyzer detoxify: {key}: no such file or folder; got {given!r}, looked in {root}")
    return path.resolve()
