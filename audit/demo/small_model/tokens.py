"""The tokenizer of the small model: byte pairs of its own corpus, single digits, and a chat template."""

from collections.abc import Iterable
from typing import Any

__all__ = ["CHAT_TEMPLATE", "make_tokenizer"]

_SYSTEM, _USER, _ASSISTANT, _END, _PAD = "<|system|>", "<|user|>", "<|assistant|>", "<|end|>", "<|pad|>"
CHAT_TEMPLATE = (
    "{% for message in messages %}"
    "{{ '<|' + message['role'] + '|>' }}"
    "{% if message['role'] == 'assistant' %}"
    "{% generation %}{{ message['content'] + '<|end|>' }}{% endgeneration %}"
    "{% else %}{{ message['content'] + '<|end|>' }}{% endif %}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}"
)


def make_tokenizer(texts: Iterable[str], vocabulary: int) -> Any:
    """A tokenizer learned from texts.

    Args:
        texts: What to learn from.
        vocabulary: How many tokens, the 256 bytes and 5 marks included.

    Returns:
        A `PreTrainedTokenizerFast` with a chat template; any text comes back as it was.
    """
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers  # noqa: PLC0415 - an extra
    from transformers import PreTrainedTokenizerFast  # noqa: PLC0415 - as above

    inner = Tokenizer(models.BPE())
    inner.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    inner.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=[_PAD, _END, _SYSTEM, _USER, _ASSISTANT],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    inner.train_from_iterator(texts, trainer)
    made: Any = PreTrainedTokenizerFast
    tokenizer = made(
        tokenizer_object=inner, pad_token=_PAD, eos_token=_END, clean_up_tokenization_spaces=False
    )
    tokenizer.chat_template = CHAT_TEMPLATE
    return tokenizer
