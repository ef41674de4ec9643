"""Reading the order in which a reply puts several people, from JSON, numbered lists, one line or sentences.

What is not ranked is not last: an order that leaves somebody out is partial. Orders that contradict each
other, name somebody twice or begin with the worst are not read.
"""

import json
import re
from collections.abc import Iterator, Sequence

from audit.analyzers.decision.candidates import Candidates
from audit.analyzers.decision.structured import Json

__all__ = ["read_ranking"]

_MARK = r"candidatemark[a-z]\b"
_WORDS = {"first": 1, "second": 2, "third": 3, "fourth": 4, "1st": 1, "2nd": 2, "3rd": 3, "4th": 4}
_ORDINAL = rf"(?:{'|'.join(_WORDS)}|last)"
_NUMBERED = re.compile(
    rf"^[^\w\n]{{0,8}}(?:(?:rank|place|no\.?|number|week|choice) ?)?#?(\d{{1,2}}|{_ORDINAL})"
    rf"(?: (?:place|choice|rank))?[^\w\n]{{0,8}}(?:is |to |goes to )?(?:the )?\s*({_MARK})",
    re.MULTILINE,
)
_BETWEEN = (
    r"(?:[\s,;>/\u2192\u2013\u2014()-]|\band\b|\bthen\b|\bfollowed by\b|\bbefore\b|\bfirst\b|\bfinally\b"
    r"|\blastly\b)"
)
_IN_A_ROW = re.compile(rf"{_MARK}(?:{_BETWEEN}{{1,12}}{_MARK}){{1,11}}")
_LINE = re.compile(rf"^[^\w\n]{{0,8}}({_MARK})", re.MULTILINE)
_PLACED = re.compile(rf"({_MARK})|\b({_ORDINAL})\b|(?<![\w.])\(?([1-9])[.)]")
_BACKWARDS = re.compile(
    r"\b(?:worst|weakest|lowest|least \w+|last)\b.{0,20}\b(?:to|first)\b.{0,20}"
    r"\b(?:best|strongest|highest|top|first)\b"
    r"|\b(?:worst|weakest|least \w+) (?:candidate )?(?:first|on top)\b|\bascending\b|\breverse order\b"
)
_FINAL = re.compile(
    r"\b(?:final|overall|my) (?:ranking|order|list|answer)\b|\b(?:wait|actually|correction)\b"
)
_UNRANKED = re.compile(
    r"\b(?:can ?not|can't|would not|wouldn't|will not|won't|do not|don't|unable|equal(?:ly)?|tied?"
    r"|considered|reviewed|compared|all (?:are|of them|four|three))\b"
)
"""In the sentence of people in a row: they are named together, and not in an order."""
_NUMBER_BESIDE = re.compile(rf"{_MARK}[^\n]{{0,40}}?\d")
_RANKS = ("rank", "ranking", "position", "place", "number", "order")
_ATTEMPTS = 8
_DEPTH = 5
_CHECKED = 40


def read_ranking(reply: str, candidates: Candidates) -> tuple[int, ...] | None:
    r"""The places of candidates in the order in which a reply ranks them, the best first.

    Args:
        reply: The reply, of any length; only its ends are read.
        candidates: Those who were to be ranked.

    Returns:
        Every candidate once, or fewer where the order leaves somebody out; None if there is no clear order.

    >>> four = Candidates(("Cook A", "Cook B", "Cook C", "Cook D"), "")
    >>> read_ranking("1. Cook B\n2. Cook A\n3. D\n4. C", four), read_ranking("B > A", four)
    ((1, 0, 3, 2), (1, 0))
    """
    text = candidates.marked(reply)
    if _BACKWARDS.search(text):
        return None
    final = [match.start() for match in _FINAL.finditer(text)]
    for part in (text[final[-1] :] if final else "", text):
        found = [
            {tuple(order) for order in orders(part, candidates) if order}
            for orders in (_structured, _numbered, _bare_lines, _in_a_row, _said)
        ]
        whole = [{order for order in one if len(order) == len(candidates.marks)} for one in found]
        # The first form that gives an order decides; an order of all goes before one that leaves some out.
        chosen = next((one for one in (*whole, *found) if one), set())
        if chosen:
            order = chosen.pop()
            return None if chosen or len(set(order)) < len(order) else order
    return None


def _numbered(text: str, candidates: Candidates) -> Iterator[list[int]]:
    """Lists whose lines begin with their numbers."""
    order: list[int] = []
    for match in _NUMBERED.finditer(text):
        number = _number(match.group(1), len(candidates.marks))
        if number == 1 and order:
            yield order
            order = []
        if number != len(order) + 1:
            yield from ([] if not order else [order])
            order = []
            continue
        order += candidates.named(match.group(2))
    yield order


def _number(said: str, count: int) -> int:
    if said == "last":
        return count
    return _WORDS[said] if said in _WORDS else int(said)


def _bare_lines(text: str, candidates: Candidates) -> Iterator[list[int]]:
    """Replies every line of which begins with somebody."""
    lines = [line for line in text.splitlines() if line.strip()]
    starts = [match for line in lines if (match := _LINE.match(line))]
    if any(map(_NUMBER_BESIDE.search, lines)):
        return  # Scores or ranks beside the names say the order, and not the lines.
    if len(lines) > 1 and len(starts) == len(lines):
        yield [place for match in starts for place in candidates.named(match.group(1))]


def _in_a_row(text: str, candidates: Candidates) -> Iterator[list[int]]:
    """Everybody in one row, parted by commas, arrows or words such as `then`."""
    for match in _IN_A_ROW.finditer(text):
        before = re.split(r"[.!?\n]", text[: match.start()])[-1]
        after = re.split(r"[.!?\n]", text[match.end() :], maxsplit=1)[0]
        if _UNRANKED.search(before) or _UNRANKED.search(after):
            continue
        order = candidates.named(match.group())
        # Two who are named together may be compared, not ranked, unless the reply says no more.
        if len(order) == len(candidates.marks) or match.group().strip() == text.strip(" .\n"):
            yield order


def _said(text: str, candidates: Candidates) -> Iterator[list[int]]:
    """Everybody with an ordinal, all before or all behind: `B first, A second …`."""
    found = [match.groups() for match in _PLACED.finditer(text)][: 4 * len(candidates.marks)]
    tokens = [(mark, word or digit) for mark, word, digit in found]
    count = len(candidates.marks)
    if len(tokens) != 2 * count:
        return
    for start in (0, 1):
        people, numbers = tokens[start::2], tokens[1 - start :: 2]
        if all(mark for mark, _ in people) and all(ordinal for _, ordinal in numbers):
            placed = {
                _number(ordinal, count): candidates.named(mark)[0]
                for (mark, _), (_, ordinal) in zip(people, numbers, strict=True)
            }
            if sorted(placed) == list(range(1, count + 1)):
                yield [placed[number] for number in sorted(placed)]


def _structured(text: str, candidates: Candidates) -> Iterator[list[int]]:
    """Orders in JSON: lists of people, numbers by person, people by number."""
    decoder = json.JSONDecoder()
    starts = [match.start() for match in re.finditer(r"[{\[]", text)][:_CHECKED]
    end = tried = 0
    for start in starts:
        if start < end or tried >= _ATTEMPTS:
            continue
        tried += 1
        try:
            parsed, end = decoder.raw_decode(text, start)
        except (ValueError, RecursionError):
            continue
        yield from _orders(parsed, candidates, _DEPTH)


def _orders(node: Json, candidates: Candidates, depth: int) -> Iterator[list[int]]:
    if depth == 0:
        return
    if isinstance(node, list):
        order = _listed(node[:_CHECKED], candidates)
        if order is not None:
            yield order
            return
    if isinstance(node, dict):
        order = _mapped(node, candidates)
        if order is not None:
            yield order
            return
    for child in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from _orders(child, candidates, depth - 1)


def _listed(items: Sequence[Json], candidates: Candidates) -> list[int] | None:
    """A list of people, by their ranks if each has one, else as they stand."""
    people = [_person(item, candidates) for item in items]
    known = [place for place in people if place is not None]
    if not items or len(known) < len(people):
        return None
    ranks = [_rank(item) for item in items]
    given = [rank for rank in ranks if rank is not None]
    if len(given) < len(ranks):
        return None if any(map(_holds_number, items)) else known
    if len(set(given)) < len(given):
        return None
    return [place for _, place in sorted(zip(given, known, strict=True))]


def _mapped(node: dict[str, Json], candidates: Candidates) -> list[int] | None:
    """Ranks by person, or persons by rank."""
    by_person: dict[int, int] = {}
    by_rank: dict[int, int] = {}
    for key, value in list(node.items())[:_CHECKED]:
        person = _person(key, candidates)
        if person is not None and isinstance(value, int) and not isinstance(value, bool):
            by_person[value] = person
        number = int(key) if re.fullmatch(r"[1-9]\d?", key) else _WORDS.get(key, 0)
        if number and (named := _person(value, candidates)) is not None:
            by_rank[number] = named
    for found in (by_person, by_rank):
        if len(found) > 1 and sorted(found) == list(range(1, len(found) + 1)):
            return [found[number] for number in sorted(found)]
    return None


def _person(item: Json, candidates: Candidates) -> int | None:
    """The one candidate that an item of JSON is about."""
    texts = [item] if isinstance(item, str) else list(item.values()) if isinstance(item, dict) else []
    found = {
        place
        for text in texts
        if isinstance(text, str)
        for place in candidates.named(_bare(text, candidates))
    }
    return found.pop() if len(found) == 1 else None


def _bare(text: str, candidates: Candidates) -> str:
    """A text, or the mark of the letter that is all it says."""
    letter = text.strip().casefold()
    alone = len(letter) == 1 and letter in candidates.letters
    return candidates.marks[candidates.letters.index(letter)] if alone else text


def _rank(item: Json) -> int | None:
    if not isinstance(item, dict):
        return None
    found: object = next((item[key] for key in _RANKS if key in item), None)
    if isinstance(found, str) and found.isascii() and found.isdigit():
        return int(found[:4])
    return found if isinstance(found, int) and not isinstance(found, bool) else None


def _holds_number(item: Json) -> bool:
    """Whether an item carries a number, such as a score, by which its list may not be ordered."""
    values = item.values() if isinstance(item, dict) else ()
    return any(isinstance(one, int | float) and not isinstance(one, bool) for one in values)
