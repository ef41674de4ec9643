"""Loading Detoxify classifiers from local files, without running code that a file may carry.

torch, transformers and detoxify are imported inside the functions: they are an extra, and heavy.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, cast

from audit.errors import ExtraMissingError, InputError

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

__all__ = [
    "Classifier",
    "convert_checkpoint",
    "load_checkpoint",
    "load_folder",
    "load_published",
    "require_extra",
]

_LOG = logging.getLogger(__name__)
_EXTRA = ("torch", "transformers", "detoxify")
_STANDARD = (("toxic", "toxicity"), ("identity_hate", "identity_attack"), ("severe_toxic", "severe_toxicity"))


@dataclass(frozen=True, slots=True)
class Classifier:
    """A loaded classifier: its heads are the first outputs of the model, in order."""

    model: "PreTrainedModel"
    tokenizer: "PreTrainedTokenizerBase"
    heads: tuple[str, ...]


def require_extra() -> None:
    """Check that the optional libraries are there, without importing them.

    Raises:
        ExtraMissingError: One of torch, transformers and detoxify is not installed.
    """
    missing = [name for name in _EXTRA if find_spec(name) is None]
    if missing:
        raise ExtraMissingError(
            f"analyzer detoxify needs {', '.join(missing)}", next_step='pip install "evenhand[toxicity]"'
        )


def load_folder(folder: Path) -> Classifier:
    """A classifier from a folder with safetensors weights, configuration and tokenizer; nothing is fetched.

    Args:
        folder: What `convert_checkpoint` wrote, or any sequence classifier whose labels are named.

    Raises:
        InputError: The folder lacks a file, or its labels are not named.
    """
    from transformers import AutoModelForSequenceClassification, AutoTokenizer  # noqa: PLC0415 - heavy extra

    if not (folder / "model.safetensors").is_file():
        raise InputError(f"{folder}: no model.safetensors; accepted: a folder written by convert_checkpoint")
    try:
        model = AutoModelForSequenceClassification.from_pretrained(
            folder, local_files_only=True, use_safetensors=True
        )
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    except (OSError, ValueError) as error:
        raise InputError(f"{folder}: not a usable classifier: {_line(error)}") from error
    labels = cast("Mapping[int, str]", model.config.id2label)
    heads = tuple(getattr(model.config, "detoxify_classes", None) or (labels[key] for key in sorted(labels)))
    if any(head.startswith("LABEL_") for head in heads):
        raise InputError(f"{folder / 'config.json'}: id2label has no names; got {', '.join(heads)}")
    return Classifier(model.eval(), tokenizer, _standard(heads))


def load_checkpoint(
    path: Path, config: Path | None, *, allow_unsafe: bool, allow_download: bool
) -> Classifier:
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
    return Classifier(model.eval(), tokenizer, _standard(heads))


def load_published(name: str, config: Path | None, *, allow_unsafe: bool, allow_download: bool) -> Classifier:
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
    return load_checkpoint(path, config, allow_unsafe=allow_unsafe, allow_download=allow_download)


def convert_checkpoint(
    path: Path, out: Path, *, config: Path | None = None, allow_unsafe: bool = False
) -> Path:
    """Rewrite a Detoxify checkpoint as a folder with safetensors weights, which cannot carry code.

    Args:
        path: Checkpoint in Detoxify's own format.
        out: Folder to write; made if missing.
        config: Folder with the base model's configuration and tokenizer.
        allow_unsafe: Whether to unpickle a checkpoint that cannot be read safely; only for one you trust.

    Returns:
        The folder, to be given as the analyzer's `checkpoint`.

    Raises:
        InputError: The checkpoint cannot be read.
    """
    require_extra()
    loaded = load_checkpoint(path, config, allow_unsafe=allow_unsafe, allow_download=False)
    out.mkdir(parents=True, exist_ok=True)
    loaded.model.config.detoxify_classes = list(loaded.heads)
    loaded.model.save_pretrained(out)
    loaded.tokenizer.save_pretrained(out)
    return out


def _unpack(path: Path, *, allow_unsafe: bool) -> "Mapping[str, Mapping[str, object]]":
    import pickle  # noqa: PLC0415, TID251 - only its error class: what torch raises for a file with code

    import torch  # noqa: PLC0415 - heavy extra

    try:
        loaded = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        if not allow_unsafe:
            raise InputError(
                f"{path}: cannot be read without running code it may carry: {_line(error)}",
                next_step="if you trust its origin: allow_unsafe_checkpoint: true, then convert_checkpoint",
            ) from error
        _LOG.warning("%s is unpickled, which runs any code it carries; convert it to safetensors", path.name)
        loaded = torch.load(path, map_location="cpu", weights_only=False)
    except (OSError, RuntimeError, EOFError) as error:
        raise InputError(f"{path}: not a torch checkpoint: {_line(error)}") from error
    if not isinstance(loaded, dict) or not {"config", "state_dict"} <= loaded.keys():
        raise InputError(f"{path}: not a Detoxify checkpoint; accepted: a file with config and state_dict")
    return loaded


def _standard(heads: Sequence[str]) -> tuple[str, ...]:
    """Head names as Detoxify states them, the same for all its models."""
    names = dict(_STANDARD)
    return tuple(names.get(head, head) for head in heads)


def _line(error: Exception) -> str:
    text = str(error).strip() or type(error).__name__
    return text.splitlines()[0][:200]
