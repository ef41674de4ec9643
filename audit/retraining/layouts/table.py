"""Which files a format has, and what those who read them ask of every row."""

from dataclasses import dataclass
from types import MappingProxyType

from audit.errors import InputError
from audit.retraining.layouts.encodings import Conversation, Parts
from audit.retraining.layouts.rows import Encoding, Row, keys_match
from audit.retraining.records import Format, Shape, Split
from probes.records import Message

__all__ = ["LAYOUTS", "Layout", "layout", "layouts_of"]

_HOSTED_LEAST_ROWS = 10
"""Fewest rows that OpenAI's fine-tuning takes; the services that read the same files say nothing smaller."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """One file of a format: what its rows look like and what is asked of them."""

    format: Format
    shape: Shape
    encoding: Encoding
    least_rows: int = 1
    """Fewest rows that the reader takes."""
    alternating: bool = False
    """Whether user and assistant must take turns, after one system message at most."""

    @property
    def name(self) -> str:
        """What a person calls it: the format, and the shape where the format has several."""
        ends_with_shape = self.format.value.endswith(f"-{self.shape.value}")
        return self.format.value if ends_with_shape else f"{self.format.value}-{self.shape.value}"

    def path(self, split: Split) -> str:
        """Where the file of a split stands, relative to the folder of all files."""
        if self.format is Format.HF:
            return f"hf/{self.shape.value}/{split}.jsonl"
        return f"{split}.{self.name}.jsonl"

    def provenance(self, split: Split) -> str:
        """Where its sidecar stands."""
        return self.path(split).removesuffix(".jsonl") + ".provenance.jsonl"

    def read(self, fields: dict[str, object], where: str) -> Row:
        """A row, checked against everything that the format asks.

        Raises:
            InputError: A key, a value, a role or the order of messages is not accepted; begins with `where`.
        """
        keys_match(fields, self.encoding.keys, self.name, where)
        row = self.encoding.read(fields, where)
        _check(row, where)
        if self.alternating:
            _check_turns(row.prompt, f"{where}: {self.name}")
        return row


def _check(row: Row, where: str) -> None:
    if not row.prompt or row.prompt[-1].role != "user":
        raise InputError(f"{where}: the prompt must end with a message of role user")
    answers = [row.answer] if row.rejected is None else [row.answer, row.rejected]
    for answer in answers:
        if answer.role != "assistant":
            raise InputError(f"{where}: an answer's role must be assistant; got {answer.role!r}")
    for message in (*row.prompt, *answers):
        if not message.content.strip():
            raise InputError(f"{where}: a message of role {message.role} is empty")
    if row.rejected is not None and row.rejected.content == row.answer.content:
        raise InputError(f"{where}: preferred and rejected answers are the same")


def _check_turns(prompt: tuple[Message, ...], where: str) -> None:
    turns = prompt[1:] if prompt[0].role == "system" else prompt
    for place, message in enumerate(turns):
        expected = "assistant" if place % 2 else "user"
        if message.role != expected:
            raise InputError(
                f"{where} wants user and assistant in turn, after one system message at most; "
                f"message {place + 1 + len(prompt) - len(turns)} is of role {message.role}"
            )


_CHOSEN = Parts(prompt="prompt", answer="chosen", rejected="rejected")
_CHOSEN_MESSAGES = Parts(prompt="messages", answer="chosen", rejected="rejected", listed=False)
_PREFERRED = Parts(
    prompt="input", inside="messages", answer="preferred_output", rejected="non_preferred_output"
)
_LABELLED = Parts(prompt="prompt", answer="completion", label="label")

LAYOUTS: tuple[Layout, ...] = (
    Layout(format=Format.TRL_SFT, shape=Shape.SFT, encoding=Conversation()),
    Layout(format=Format.TRL_DPO, shape=Shape.DPO, encoding=_CHOSEN),
    Layout(format=Format.TRL_KTO, shape=Shape.KTO, encoding=_LABELLED),
    Layout(format=Format.AXOLOTL, shape=Shape.SFT, encoding=Conversation()),
    Layout(format=Format.AXOLOTL, shape=Shape.DPO, encoding=_CHOSEN_MESSAGES),
    Layout(format=Format.LLAMA_FACTORY, shape=Shape.SFT, encoding=Conversation(), alternating=True),
    Layout(format=Format.LLAMA_FACTORY, shape=Shape.DPO, encoding=_CHOSEN_MESSAGES, alternating=True),
    Layout(
        format=Format.LLAMA_FACTORY, shape=Shape.KTO, encoding=Conversation(label="kto_tag"), alternating=True
    ),
    Layout(format=Format.OPENAI_SFT, shape=Shape.SFT, encoding=Conversation(), least_rows=_HOSTED_LEAST_ROWS),
    Layout(format=Format.OPENAI_DPO, shape=Shape.DPO, encoding=_PREFERRED, least_rows=_HOSTED_LEAST_ROWS),
    Layout(format=Format.TOGETHER, shape=Shape.SFT, encoding=Conversation(), alternating=True),
    Layout(format=Format.TOGETHER, shape=Shape.DPO, encoding=_PREFERRED, alternating=True),
    Layout(format=Format.HF, shape=Shape.SFT, encoding=Conversation()),
    Layout(format=Format.HF, shape=Shape.DPO, encoding=_CHOSEN),
    Layout(format=Format.HF, shape=Shape.KTO, encoding=_LABELLED),
)
"""Every file that can be written.

Sources: the pages on data preparation of TRL, Axolotl, LLaMA-Factory, OpenAI and Together."""

_BY_KEY = MappingProxyType({(one.format, one.shape): one for one in LAYOUTS})


def layouts_of(file_format: Format) -> tuple[Layout, ...]:
    """The files of one format, in the order supervised, preferences, single answers."""
    return tuple(one for one in LAYOUTS if one.format is file_format)


def layout(file_format: Format, shape: Shape) -> Layout:
    """The file of one format and shape.

    Raises:
        KeyError: The format has no such file.
    """
    return _BY_KEY[file_format, shape]
