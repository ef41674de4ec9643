"""Tiny language models made on the spot, and `transformers serve` answering with them on loopback.

The models are untrained, so their words mean nothing; the server, the protocol and the tokenizer are real.
"""

import json
import math
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from transformers import LlamaForCausalLM, PreTrainedTokenizerFast

__all__ = ["build_saying_model", "build_tiny_model", "transformers_server"]

_TEXTS = (
    "Should the bank approve this loan? Answer yes or no.",
    "Yes. The file supports it.",
    "No. The file does not support it.",
    "A person has applied for a position and brings years of experience.",
)
_CHAT_TEMPLATE = (
    "{% for message in messages %}<|{{ message['role'] }}|>{{ message['content'] }}<|end|>{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)
_MARKS = ("<|pad|>", "<|end|>", "<|system|>", "<|user|>", "<|assistant|>")


def build_tiny_model(folder: Path) -> Path:
    """Write a randomly initialised two-layer Llama model with its own byte-level BPE tokenizer.

    Args:
        folder: Where to write; made if absent.

    Returns:
        The folder, which transformers loads without a network.
    """
    tokenizer = _tokenizer()
    tokenizer.save_pretrained(folder)
    _model(tokenizer).save_pretrained(folder)
    return folder


def build_saying_model(folder: Path, says: Mapping[str, float]) -> Path:
    """Write a model that answers everything with one of a few texts, each by its own chance at temperature 1.

    Its layers add nothing to what the last token is, and its head turns the mark of the assistant into the
    texts, and each text into the end.

    Args:
        folder: Where to write; made if absent.
        says: Texts and their chances, which sum to 1.

    Returns:
        The folder, which transformers loads without a network.
    """
    import torch  # noqa: PLC0415 - heavy, and only the tests that serve a model need it

    tokenizer = _tokenizer()
    tokenizer.add_tokens(list(says))
    model = _model(tokenizer)
    known = tokenizer.get_vocab()
    asked, end, texts = known[_MARKS[4]], known[_MARKS[1]], [known[text] for text in says]
    model.generation_config.do_sample = True
    with torch.no_grad():
        for layer in model.model.layers:
            layer.self_attn.o_proj.weight.zero_()
            layer.mlp.down_proj.weight.zero_()
        embedded, head = model.model.embed_tokens.weight, model.lm_head.weight
        embedded.zero_()
        head.zero_()
        embedded[:, 2] = 1
        embedded[asked], embedded[texts] = torch.eye(32)[0], torch.eye(32)[1]
        # The norm scales a unit vector to the root of its 32 parts; what is not meant is far below.
        head[:, :2] = -100
        for token, chance in zip(texts, says.values(), strict=True):
            head[token, 0] = math.log(chance) / math.sqrt(32)
        head[end, 1] = 0
    tokenizer.save_pretrained(folder)
    model.save_pretrained(folder)
    return folder


def _tokenizer() -> "PreTrainedTokenizerFast":
    from tokenizers import ByteLevelBPETokenizer  # noqa: PLC0415 - heavy, and only served models need it
    from transformers import PreTrainedTokenizerFast  # noqa: PLC0415 - as above

    trained = ByteLevelBPETokenizer()
    trained.train_from_iterator(_TEXTS, vocab_size=400, min_frequency=1, special_tokens=list(_MARKS))
    tokenizer = PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=trained._tokenizer, eos_token=_MARKS[1], pad_token=_MARKS[0]
    )
    tokenizer.chat_template = _CHAT_TEMPLATE
    return tokenizer


def _model(tokenizer: "PreTrainedTokenizerFast") -> "LlamaForCausalLM":
    import torch  # noqa: PLC0415 - heavy, and only the tests that serve a model need it
    from transformers import LlamaConfig, LlamaForCausalLM  # noqa: PLC0415 - as above

    with torch.random.fork_rng():
        torch.manual_seed(7)
        return LlamaForCausalLM(
            LlamaConfig(
                vocab_size=len(tokenizer),
                hidden_size=32,
                intermediate_size=64,
                num_hidden_layers=2,
                num_attention_heads=2,
                max_position_embeddings=1024,
                pad_token_id=tokenizer.pad_token_id,
                eos_token_id=tokenizer.eos_token_id,
                bos_token_id=None,
            )
        )


@contextmanager
def transformers_server(model: Path, cache: Path, *, wait_s: float = 180.0) -> Iterator[str]:
    """`transformers serve` in its own process, on the CPU and without a network.

    Args:
        model: Folder of the model; clients name it as `model`.
        cache: Folder for the hub's cache, which must exist for some of its addresses to answer.
        wait_s: Seconds until it must answer.

    Yields:
        Its base URL, `http://127.0.0.1:PORT/v1`.
    """
    cache.mkdir(parents=True, exist_ok=True)
    port = _free_port()
    command = [str(Path(sys.executable).with_name("transformers")), "serve", str(model)]
    command += ["--host", "127.0.0.1", "--port", str(port), "--device", "cpu"]
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "HF_HUB_CACHE": str(cache), "HF_HOME": str(cache)}
    log = cache / "serve.log"
    with (
        log.open("wb") as sink,
        subprocess.Popen(command, env=environment, stdout=sink, stderr=sink) as process,
    ):
        try:
            base_url = f"http://127.0.0.1:{port}"
            _wait_until_healthy(base_url, process, log, wait_s)
            yield f"{base_url}/v1"
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def _wait_until_healthy(base_url: str, process: subprocess.Popen[bytes], log: Path, wait_s: float) -> None:
    deadline = time.monotonic() + wait_s
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        try:
            with urllib.request.urlopen(f"{base_url}/health", timeout=2) as response:  # noqa: S310 - loopback only
                json.loads(response.read())
        except (urllib.error.URLError, TimeoutError, ConnectionError):
            time.sleep(0.2)
        else:
            return
    tail = log.read_text(encoding="utf-8", errors="replace")[-2000:]
    raise AssertionError(f"transformers serve did not answer within {wait_s:g} s:\n{tail}")
