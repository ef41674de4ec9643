"""Ordinary service dialogues, which a repair must leave as they are."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, TypeVar

import numpy as np
import yaml
from pydantic import Field, StrictStr, ValidationError

from probes.data import find, read_yaml
from probes.errors import DataError
from probes.records import Record

__all__ = ["Support", "load_support", "read_support"]

_SLOT = re.compile(r"\{([a-z_]+)\}")
_T = TypeVar("_T")
_Texts = Annotated[tuple[StrictStr, ...], Field(min_length=1)]


class _Dialogue(Record):
    id: str
    user: _Texts
    answer: _Texts


class Support(Record):
    """Dialogues with slots, and the words that fill them."""

    version: str
    words: dict[str, _Texts]
    dialogues: Annotated[tuple[_Dialogue, ...], Field(min_length=1)]

    def draw(self, source: np.random.Generator) -> tuple[str, str]:
        """What a customer says, and the answer; both speak of the same things."""
        dialogue = _one(self.dialogues, source)
        said, answer = _one(dialogue.user, source), _one(dialogue.answer, source)
        slots = sorted(set(_SLOT.findall(said + answer)))
        words = {slot: _one(self.words[slot], source) for slot in slots}
        return _filled(said, words), _filled(answer, words)


def load_support(name: str = "support_en") -> Support:
    """The shipped dialogues.

    Raises:
        DataError: The data set is missing or malformed, or a slot has no words.
    """
    return read_support(find("dialogues", name, "data.yaml"))


def read_support(path: Path) -> Support:
    """The dialogues of one file.

    Raises:
        DataError: The file is malformed; the message names it.
    """
    where = f"{path.parent.name}/{path.name}"
    try:
        support = Support.model_validate(read_yaml(path))
    except yaml.YAMLError as error:
        raise DataError(f"{where}: not valid YAML: {' '.join(str(error).split())}") from error
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        raise DataError(f"{where}: {key}: {first['msg']}") from error
    for dialogue in support.dialogues:
        used = {slot for text in (*dialogue.user, *dialogue.answer) for slot in _SLOT.findall(text)}
        if unknown := sorted(used - set(support.words)):
            raise DataError(f"{where}: {dialogue.id}: no words for the slot {unknown[0]}")
    return support


def _one(values: Sequence[_T], source: np.random.Generator) -> _T:
    return values[int(source.integers(len(values)))]


def _filled(text: str, words: Mapping[str, str]) -> str:
    return _SLOT.sub(lambda match: words[match[1]], text)
