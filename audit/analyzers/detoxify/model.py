"""Detoxify classifiers run by torch: loaded from local files, without running code that a file may carry.

torch, transformers and detoxify are imported inside the functions: they are an extra, and heavy.
"""

import logging
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, cast

import numpy as np
import numpy.typing as npt

from audit.analyzers.detoxify.engine import FACTS_FILE, Encoded, Facts, Ids
from audit.errors import ExtraMissingError, InputError
from probes.data import file_sha256

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

__all__ = [
    "MULTILINGUAL",
    "PUBLISHED",
    "TorchEngine",
    "load_checkpoint",
    "load_folder",
    "load_published",
    "read_facts",
    "require_extra",
]

_LOG = logging.getLogger(__name__)
MULTILINGUAL = ("en", "fr", "es", "it", "pt", "tr", "ru")
"""Languages that the multilingual model was trained on."""
_ENGLISH = ("en",)
_CONVERTED = "a folder written by evenhand analyzers convert"
_MALFORMED = (OSError, RuntimeError, EOFError, LookupError, ValueError, TypeError, AttributeError)
"""What torch raises for bytes that are no checkpoint, such as a line of text."""
_UNSAFE = (
    "if you trust its origin: evenhand analyzers convert --allow-unsafe, or allow_unsafe_checkpoint: true"
)
_ORIGINAL = ("toxicity", "severe_toxicity", "obscene", "threat", "insult", "identity_attack")
_UNBIASED = (*_ORIGINAL, "sexual_explicit")
PUBLISHED = MappingProxyType({"original": _ORIGINAL, "unbiased": _UNBIASED, "multilingual": _UNBIASED})
"""Heads of the published models; their further outputs are mentions of identities."""


class TorchEngine:
    """A classifier run by torch."""

    def __init__(self, model: "PreTrainedModel", tokenizer: "PreTrainedTokenizerBase", facts: Facts) -> None:
        """Keep the parts, with the model ready to be asked."""
        cast("torch.nn.Module", model).train(mode=False)
        self.model = model
        self.tokenizer = tokenizer
        self.facts = facts

    def encode(self, texts: Sequence[str], limit: int) -> list[Encoded]:
        """Tokens of each text, special ones included, at most `limit` of them."""
        if not texts:
            return []
        full = self.tokenizer(list(texts), truncation=False, verbose=False)["input_ids"]
        long = [place for place, ids in enumerate(full) if len(ids) > limit]
        found = [Encoded(ids, cut=False) for ids in full]
        if long:
            # The tokenizer itself cuts, since it knows which special tokens stay.
            short = self.tokenizer([texts[place] for place in long], truncation=True, max_length=limit)
            for place, ids in zip(long, short["input_ids"], strict=True):
                found[place] = Encoded(ids, cut=True)
        return found

    def logits(self, ids: Ids, mask: Ids) -> npt.NDArray[np.float32]:
        """Outputs of the model, one row a text; see `Engine.logits`."""
        import torch  # noqa: PLC0415 - heavy extra

        device = self.model.device
        with torch.inference_mode():
            found = self.model(
                input_ids=torch.from_numpy(ids).to(device), attention_mask=torch.from_numpy(mask).to(device)
            )
        return np.asarray(found.logits.float().cpu().numpy(), dtype=np.float32)


def require_extra(*, checkpoint: bool = True) -> None:
    """Check that the optional libraries are there, without importing them.

    Args:
        checkpoint: Whether a checkpoint in Detoxify's own format is to be read, which needs its loader.

    Raises:
        ExtraMissingError: A library is not installed.
    """
    needed = ("torch", "transformers", *(("detoxify",) if checkpoint else ()))
    missing = [name for name in needed if find_spec(name) is None]
    if missing:
        raise ExtraMissingError(
            f"analyzer detoxify needs {', '.join(missing)}", next_step='pip install "evenhand[toxicity]"'
        )


def load_folder(folder: Path) -> TorchEngine:
    """A classifier from a folder with safetensors weights, configuration and tokenizer; nothing is fetched.

    Args:
        folder: What `convert_checkpoint` wrote, or any sequence classifier whose labels are named.

    Raises:
        InputError: The folder lacks a file, or its labels are not named.
    """
    from transformers import AutoModelForSequenceClassification, AutoTokenizer  # noqa: PLC0415 - heavy extra

    if not (folder / "model.safetensors").is_file():
        raise InputError(f"{folder}: no model.safetensors; accepted: {_CONVERTED}")
    try:
        model = AutoModelForSequenceClassification.from_pretrained(
            folder, local_files_only=True, use_safetensors=True
        )
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    except (OSError, ValueError) as error:
        raise InputError(f"{folder}: not a usable classifier: {_line(error)}") from error
    if (folder / FACTS_FILE).is_file():
        return TorchEngine(model, tokenizer, read_facts(folder))
    labels = cast("Mapping[int, str]", model.config.id2label)
    heads = tuple(labels[key] for key in sorted(labels))
    return TorchEngine(model, tokenizer, _facts(model, heads, str(folder / "config.json")))


def load_checkpoint(
    path: Path, config: Path | None, *, allow_unsafe: bool, allow_download: bool
) -> TorchEngine:
    """A classifier from a checkpoint in Detoxify's own format, through Detoxify's own loader.

    Args:
        path: File with `config` and `state_dict`.
        config: Folder with the base model's configuration and tokenizer; without it they are fetched.
        allow_unsafe: Whether to fall back to unpickling, which runs whatever code the file carries.
        allow_download: Whether the base model's configuration may be fetched from its hub.

    Raises:
        InputError: The file is not such a checkpoint, cannot be read safely, or needs a download.
    """
    from detoxify.detoxify import get_model_and_tokenizer  # noqa: PLC0415 - heavy extra

    loaded = _unpack(path, allow_unsafe=allow_unsafe)
    try:
        arch = dict(cast("Mapping[str, Mapping[str, str | int]]", loaded["config"]["arch"])["args"])
        heads = cast("Sequence[str]", loaded["config"]["dataset"]["args"]["classes"])  # type: ignore[index]
    except (KeyError, TypeError) as error:
        raise InputError(
            f"{path}: not a Detoxify checkpoint: no {error}; accepted: a file with config and state_dict"
        ) from error
    if config is not None:
        # The loader asks the hub for this name even when it has a folder, unless the name is the folder.
        arch["model_type"] = str(config)
    elif not Path(str(arch["model_type"])).is_dir() and not allow_download:
        raise InputError(
            f"{path}: needs the configuration and tokenizer of {arch['model_type']!r}, which is a download",
            next_step="set config to a local folder with them, or allow_download: true",
        )
    folder = str(config) if config is not None else None
    if folder is None and Path(str(arch["model_type"])).is_dir():
        folder = str(arch["model_type"])
    try:
        model, tokenizer = get_model_and_tokenizer(
            **arch, state_dict=loaded["state_dict"], huggingface_config_path=folder
        )
    except (OSError, ValueError, RuntimeError, TypeError, AttributeError) as error:
        raise InputError(f"{path}: Detoxify cannot build the model: {_line(error)}") from error
    facts = _facts(model, tuple(heads), str(path)).model_copy(update={"source_sha256": file_sha256(path)})
    return TorchEngine(model, tokenizer, facts)


def load_published(
    name: str, config: Path | None, *, allow_unsafe: bool, allow_download: bool
) -> TorchEngine:
    """A published Detoxify model by name, from torch's download cache or, if allowed, fetched from GitHub.

    Raises:
        InputError: It is not in the cache and downloads are not allowed or fail.
    """
    import torch  # noqa: PLC0415 - heavy extra
    from detoxify.detoxify import MODEL_URLS  # noqa: PLC0415 - heavy extra

    url = str(MODEL_URLS[name])
    path = Path(torch.hub.get_dir()) / "checkpoints" / url.rsplit("/", 1)[1]
    if not path.is_file():
        if not allow_download:
            raise InputError(
                f"analyzer detoxify: model {name!r} is not on this machine; it would come from {url}",
                next_step="set allow_download: true, or checkpoint to a local file or folder",
            )
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            torch.hub.download_url_to_file(url, str(path), progress=False)
        except OSError as error:
            raise InputError(f"analyzer detoxify: download of {url} failed: {_line(error)}") from error
    engine = load_checkpoint(path, config, allow_unsafe=allow_unsafe, allow_download=allow_download)
    if set(engine.facts.heads) != set(PUBLISHED[name]):
        found = ", ".join(engine.facts.heads)
        raise InputError(
            f"{path}: model {name!r} must have the heads {', '.join(PUBLISHED[name])}; got {found}"
        )
    return engine


def read_facts(folder: Path) -> Facts:
    """What a converted folder says of its classifier.

    Raises:
        InputError: The file is missing or damaged.
    """
    path = folder / FACTS_FILE
    try:
        return Facts.model_validate_json(path.read_text("utf-8")).checked(str(path))
    except OSError as error:
        raise InputError(f"{folder}: no {FACTS_FILE}; accepted: {_CONVERTED}") from error
    except ValueError as error:
        raise InputError(f"{path}: is damaged: {_line(error)}") from error


def _facts(model: "PreTrainedModel", heads: tuple[str, ...], where: str) -> Facts:
    config = model.config
    kind = str(config.model_type)
    positions = int(getattr(config, "max_position_embeddings", 512))
    padding = int(getattr(config, "pad_token_id", 0) or 0)
    if "roberta" in kind:
        # Positions of these models start after the padding token.
        positions -= padding + 1
    languages = MULTILINGUAL if kind.startswith("xlm") else _ENGLISH
    return Facts(heads=heads, languages=languages, most_tokens=positions, padding=padding).checked(where)


def _unpack(path: Path, *, allow_unsafe: bool) -> "Mapping[str, Mapping[str, object]]":
    import pickle  # noqa: PLC0415, TID251 - only its error class: what torch raises for a file with code

    import torch  # noqa: PLC0415 - heavy extra

    try:
        try:
            loaded = torch.load(path, map_location="cpu", weights_only=True)
        except pickle.UnpicklingError as error:
            if not allow_unsafe:
                raise InputError(
                    f"{path}: cannot be read without running code it may carry: {_line(error)}",
                    next_step=_UNSAFE,
                ) from error
            _LOG.warning(
                "%s is unpickled, which runs any code it carries; convert it to safetensors", path.name
            )
            loaded = torch.load(path, map_location="cpu", weights_only=False)
    except (pickle.UnpicklingError, *_MALFORMED) as error:
        raise InputError(f"{path}: not a torch checkpoint: {_line(error)}") from error
    if not isinstance(loaded, dict) or not {"config", "state_dict"} <= loaded.keys():
        raise InputError(f"{path}: not a Detoxify checkpoint; accepted: a file with config and state_dict")
    return loaded


def _line(error: Exception) -> str:
    text = str(error).strip() or type(error).__name__
    return text.splitlines()[0][:200]
