"""Toxicity classifiers run by ONNX Runtime: written once beside the weights, then scored without torch.

onnxruntime and tokenizers are an extra of their own; writing the files needs torch as well.
"""

import contextlib
import io
import logging
import warnings
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from audit.analyzers.detoxify.engine import Encoded, Facts, Ids
from audit.errors import ExtraMissingError, InputError

if TYPE_CHECKING:
    from onnxruntime import InferenceSession
    from tokenizers import Tokenizer
    from transformers import PreTrainedModel

__all__ = ["ONNX_FILES", "OnnxBackend", "OnnxEngine", "load_onnx", "require_onnx", "write_int8", "write_onnx"]

OnnxBackend: TypeAlias = Literal["onnx", "onnx-int8"]
ONNX_FILES: dict[OnnxBackend, str] = {"onnx": "model.onnx", "onnx-int8": "model.int8.onnx"}
_TOKENIZER = "tokenizer.json"
_OPSET = 18
_NAMES = ("input_ids", "attention_mask")


def require_onnx(*, writing: bool = False) -> None:
    """Check that the optional libraries are there, without importing them.

    Args:
        writing: Whether files are to be written, which needs more.

    Raises:
        ExtraMissingError: A library is not installed.
    """
    needed = ("onnxruntime", "tokenizers", *(("onnx", "onnxscript") if writing else ()))
    missing = [name for name in needed if find_spec(name) is None]
    if missing:
        raise ExtraMissingError(
            f"analyzer detoxify: backend onnx needs {', '.join(missing)}",
            next_step='pip install "evenhand[toxicity-onnx]"',
        )


class OnnxEngine:
    """A classifier run by ONNX Runtime on the CPU."""

    def __init__(self, session: "InferenceSession", tokenizer: "Tokenizer", facts: Facts) -> None:
        """Keep the parts."""
        self._session = session
        self._tokenizer = tokenizer
        self.facts = facts

    def encode(self, texts: Sequence[str], limit: int) -> list[Encoded]:
        """Tokens of each text, special ones included, at most `limit` of them."""
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(max_length=limit)
        return [
            Encoded(one.ids, cut=bool(one.overflowing)) for one in self._tokenizer.encode_batch(list(texts))
        ]

    def logits(self, ids: Ids, mask: Ids) -> npt.NDArray[np.float32]:
        """Outputs of the model, one row a text; see `Engine.logits`."""
        (found,) = self._session.run(None, dict(zip(_NAMES, (ids, mask), strict=True)))
        return np.asarray(found, dtype=np.float32)


def load_onnx(folder: Path, backend: OnnxBackend, facts: Facts, *, threads: int = 0) -> OnnxEngine:
    """A classifier from a converted folder.

    Args:
        folder: What `evenhand analyzers convert` wrote.
        backend: Which of its files to run.
        facts: What the folder says of the classifier.
        threads: Threads of one call; 0 lets the runtime choose.

    Raises:
        InputError: The file is missing or is no such model.
    """
    import onnxruntime  # noqa: PLC0415 - extra
    from tokenizers import Tokenizer  # noqa: PLC0415 - extra

    for name in (ONNX_FILES[backend], _TOKENIZER):
        if not (folder / name).is_file():
            raise InputError(
                f"{folder}: no {name}, which backend {backend} reads",
                next_step=f"evenhand analyzers convert CHECKPOINT --out {folder.name} --backend {backend}",
            )
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    try:
        session = onnxruntime.InferenceSession(
            str(folder / ONNX_FILES[backend]), options, providers=["CPUExecutionProvider"]
        )
        tokenizer = Tokenizer.from_file(str(folder / _TOKENIZER))
    except Exception as error:  # both libraries raise their own, without a common base
        raise InputError(
            f"{folder}: not a usable ONNX classifier: {str(error).splitlines()[0][:200]}"
        ) from error
    if {one.name for one in session.get_inputs()} != set(_NAMES):
        raise InputError(f"{folder / ONNX_FILES[backend]}: must take {' and '.join(_NAMES)}")
    return OnnxEngine(session, tokenizer, facts)


def write_onnx(model: "PreTrainedModel", facts: Facts, path: Path) -> None:
    """Write a torch classifier as an ONNX graph for any number of texts of any length.

    Args:
        model: The classifier.
        facts: What it is.
        path: File to write.
    """
    import torch  # noqa: PLC0415 - heavy extra

    class Logits(torch.nn.Module):
        """The classifier with one output."""

        def __init__(self, inner: "PreTrainedModel") -> None:
            super().__init__()
            self.inner = inner

        def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
            found: torch.Tensor = self.inner(input_ids=input_ids, attention_mask=attention_mask).logits
            return found

    # Two rows of unlike length: a mask without a zero would be traced away.
    ids = torch.full((2, 8), facts.padding + 1, dtype=torch.int64)
    mask = torch.ones_like(ids)
    ids[1, 5:], mask[1, 5:] = facts.padding, 0
    sizes = {
        0: torch.export.Dim("texts", min=1, max=4096),
        1: torch.export.Dim("tokens", min=2, max=facts.most_tokens),
    }
    # Without eval() the exporter would leave the model in training mode, with dropout.
    with _quiet():
        torch.onnx.export(
            Logits(model.cpu()).eval(),
            (ids, mask),
            str(path),
            input_names=list(_NAMES),
            output_names=["logits"],
            dynamic_shapes=(sizes, sizes),
            opset_version=_OPSET,
            dynamo=True,
            verbose=False,
            external_data=False,
        )


def write_int8(source: Path, path: Path) -> None:
    """Write a graph whose matrix products are of 8-bit integers, scaled a channel; the head stays as it is.

    Args:
        source: The graph in 32-bit floats.
        path: File to write.
    """
    import onnx  # noqa: PLC0415 - extra
    from onnxruntime.quantization import QuantType, quantize_dynamic  # noqa: PLC0415 - extra

    graph = onnx.load(str(source)).graph
    products = [node.name for node in graph.node if node.op_type in {"Gemm", "MatMul"}]
    with _quiet():
        quantize_dynamic(
            str(source),
            str(path),
            per_channel=True,
            weight_type=QuantType.QInt8,
            op_types_to_quantize=["MatMul"],
            nodes_to_exclude=products[-1:],
        )


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep the exporters' notes to their own developers off the user's terminal."""
    level = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(level)
