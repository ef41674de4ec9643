"""Finding personal data and secrets in a text by their form: patterns, then check digits or entropy."""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import log2
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from audit.analyzers.leakage import checksums
from probes import data
from probes.errors import DataError

__all__ = ["Finder", "Item", "entropy"]

_BLOCK = 2000
_EMAIL = re.compile(r"(?<![\w.+-])[\w.+%-]{1,64}@(?:[a-z0-9-]{1,63}\.){1,6}[a-z]{2,24}\b", re.IGNORECASE)
_PHONE = re.compile(
    r"(?<![\w.+-])(?:\+\d[\d ().-]{6,20}\d|(?:1[ .-])?(?:\([2-9]\d{2}\) ?|[2-9]\d{2}[ .-])[2-9]\d{2}"
    r"[ .-]\d{4})(?![\w-])"
)
_CARD = re.compile(r"(?<![\w-])[2-6]\d(?:[ -]?\d){11,17}(?![\w-])")
_IBAN = re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]){11,30}\b")
_ASSIGNED = re.compile(
    r"\b(?:password|passwd|pwd|passphrase|secret|token|api[_ -]?key|access[_ -]?key)\b\s{0,3}"
    r"(?:is|[:=])\s{0,3}[\"'`]?([^\s\"'`<>,;]{8,200})",
    re.IGNORECASE,
)
_SEPARATORS = re.compile(r"[ .\-/()]")
_FEWEST_DIGITS, _MOST_DIGITS = 8, 15
_CARD_DIGITS = (13, 19)


class _KeyFormat(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str
    pattern: str


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")

    reserved_domains: list[str]
    toll_free: list[str]
    test_cards: list[str]
    placeholders: list[str]
    iban_lengths: dict[str, int]
    keys: list[_KeyFormat]


@dataclass(frozen=True, slots=True)
class Item:
    """One thing found."""

    kind: str
    """Such as `email`, `card`, `id_es`, `key_aws`."""
    text: str
    """Without separators, for comparison."""
    secret: bool = False


@dataclass(frozen=True, slots=True)
class _NationalId:
    kind: str
    pattern: re.Pattern[str]
    check: Callable[[str], bool]


_IDS = (
    _NationalId("id_us", re.compile(r"(?<![\w-])(?!000|666|9)\d{3}-(?!00)\d\d-(?!0000)\d{4}(?![\w-])"), bool),
    _NationalId("id_ca", re.compile(r"(?<![\w-])[1-79]\d\d([ -])\d{3}\1\d{3}(?![\w-])"), checksums.luhn),
    _NationalId("id_es", re.compile(r"\b[0-9XYZ]\d{7}-?[A-HJ-NP-TV-Z]\b"), checksums.dni),
    _NationalId("id_br", re.compile(r"(?<![\w-])\d{3}\.\d{3}\.\d{3}-\d\d(?![\w-])"), checksums.cpf),
    _NationalId(
        "id_fr", re.compile(r"(?<!\w)[12] ?\d\d ?\d\d ?\d\d ?\d{3} ?\d{3} ?\d\d(?!\w)"), checksums.nir
    ),
    _NationalId("id_pl", re.compile(r"(?<![\w-])\d{11}(?![\w-])"), checksums.pesel),
    _NationalId("id_cn", re.compile(r"(?<!\w)[1-9]\d{16}[\dX](?!\w)"), checksums.resident_id),
    _NationalId("id_in", re.compile(r"(?<![\w-])[2-9]\d{3} \d{4} \d{4}(?![ -]?\d)"), checksums.aadhaar),
    _NationalId("id_it", re.compile(r"\b[A-Z]{6}\d\d[A-EHLMPRST]\d\d[A-Z]\d{3}[A-Z]\b"), checksums.tax_code),
)


def entropy(text: str) -> float:
    """Shannon entropy of a text's own characters, in bits a character: keys have about 4 or 5.

    Source:
        Shannon (1948), Bell System Technical Journal 27:379-423.

    >>> entropy("aaaa"), entropy("abcd")
    (0.0, 2.0)
    """
    size = len(text)
    return sum(count / size * log2(size / count) for count in Counter(text).values())


class Finder:
    """Finds items; built once from the shipped file of formats."""

    def __init__(self, path: Path) -> None:
        """Read the formats.

        Args:
            path: YAML file; see `datasets/lexicons/leakage`.

        Raises:
            DataError: The file does not have this form; the message says where.
        """
        try:
            self._formats = _File.model_validate(data.read_yaml(path))
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(str(part) for part in first["loc"])
            raise DataError(f"{path.name}: {place}: {first['msg']}; got {first['input']!r}") from error
        self._keys = [(f"key_{one.name}", re.compile(one.pattern)) for one in self._formats.keys]
        self._tests = frozenset(self._formats.test_cards)

    def items(self, text: str, *, least_entropy: float) -> list[Item]:
        """Distinct items of a text, personal data first, in order.

        Args:
            text: Any text; time is linear in its length.
            least_entropy: Bits a character from which a key is a key and not a placeholder.
        """
        found = [*self._contacts(text), *self._accounts(text), *_ids(text)]
        found += [item for item in self._secrets(text) if entropy(item.text) >= least_entropy]
        return list(dict.fromkeys(found))

    def _contacts(self, text: str) -> Iterator[Item]:
        if "@" in text:
            for match in _EMAIL.finditer(text):
                address = match.group().casefold()
                domain = address.rpartition("@")[2]
                if not any(f".{domain}".endswith(f".{name}") for name in self._formats.reserved_domains):
                    yield Item("email", address)
        for match in _PHONE.finditer(text):
            digits = re.sub(r"\D", "", match.group())
            if _FEWEST_DIGITS <= len(digits) <= _MOST_DIGITS and not self._public_number(digits):
                yield Item("phone", digits)

    def _public_number(self, digits: str) -> bool:
        """Free service lines such as crisis lines, and numbers reserved for fiction."""
        local = digits.removeprefix("1") if len(digits) == 11 else digits  # noqa: PLR2004 - with country code
        return local[:3] in self._formats.toll_free or local[3:8] == "55501"

    def _accounts(self, text: str) -> Iterator[Item]:
        for match in _CARD.finditer(text):
            digits = _SEPARATORS.sub("", match.group())
            fits = _CARD_DIGITS[0] <= len(digits) <= _CARD_DIGITS[1] and len(set(digits)) > 1
            if fits and digits not in self._tests and checksums.luhn(digits):
                yield Item("card", digits)
        for match in _IBAN.finditer(text):
            number = match.group().replace(" ", "")
            length = self._formats.iban_lengths.get(number[:2])
            # a word in capitals may follow the number: only the country's length counts
            if length is not None and checksums.iban(number[:length], length):
                yield Item("iban", number[:length])

    def _secrets(self, text: str) -> Iterator[Item]:
        for kind, pattern in self._keys:
            for match in pattern.finditer(text):
                if not self._placeholder(match.group()):
                    yield Item(kind, match.group()[:_BLOCK], secret=True)
        for match in _ASSIGNED.finditer(text):
            value = match.group(1).rstrip(".)!?")
            mixed = any(sign.isdigit() for sign in value) and any(sign.isalpha() for sign in value)
            if mixed and not self._placeholder(value):
                yield Item("password", value, secret=True)

    def _placeholder(self, value: str) -> bool:
        folded = value.casefold()
        return any(mark in folded for mark in self._formats.placeholders)


def _ids(text: str) -> Iterator[Item]:
    for one in _IDS:
        for match in one.pattern.finditer(text):
            number = _SEPARATORS.sub("", match.group())
            if one.check(number):
                yield Item(one.kind, number)
