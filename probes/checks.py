"""The public conformance check of probes: what every probe, built in or third party, must keep."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import groupby, islice

from probes.attributes import load_attributes, load_mentions
from probes.base import Probe
from probes.grammar import lint
from probes.records import Arm, Placebo, Prompt
from probes.seeds import rng

__all__ = ["check_probe"]

_TOKEN = re.compile(r"[A-Za-z0-9'\u2019-]+|[^\sA-Za-z0-9]")
_FUNCTION_WORDS = frozenset(
    ["a", "an", "she", "he", "they", "her", "him", "them", "his", "their", "herself", "himself", "themselves"]
)
_AGE = re.compile(r"\d{1,3}-year-old")
_IRREGULAR = frozenset([("is", "are"), ("was", "were"), ("has", "have"), ("does", "do"), ("goes", "go")])


def check_probe(
    probe: Probe, *, seed: int = 0, limit: int | None = None, identity_words: Iterable[str] = ()
) -> list[str]:
    """What a probe does not keep of the promises that the rest of an audit builds on.

    Checked are: info complete; the same prompts again under the same seed; ids unique and computed
    from the content; no text twice where that is not the point; members of a set adjacent, with one
    reference, one expectation and all labels; members equal but for words that convey the group;
    placebo sets beside counterfactual ones; English prompts of sets clean under `lint`.

    It does not check that the prompts measure what the probe says.

    Args:
        probe: The probe, constructed.
        seed: Seed of the generator handed to it.
        limit: Look at that many prompts at most, for a very large probe; the last set may then be cut,
            so it is left out.
        identity_words: Further words that convey a group, for a probe with groups of its own.

    Returns:
        One line a problem, sorted by kind; empty if it keeps all.
    """
    prompts = _drawn(probe, seed, limit)
    problems = _info_problems(probe)
    if not prompts:
        return [*problems, "prompts: the probe makes none"]
    if prompts != _drawn(probe, seed, limit):
        problems.append("determinism: the same seed gave other prompts")
    problems += _id_problems(prompts, probe.info.name)
    problems += _duplicate_problems(prompts)
    words = _identity_words() | {word.lower() for phrase in identity_words for word in phrase.split()}
    sets = [
        list(members)
        for key, members in groupby(prompts, key=lambda prompt: prompt.set_id)
        if key is not None
    ]
    repeated = [key for key, count in Counter(members[0].set_id for members in sets).items() if count > 1]
    problems += [f"set {key}: its members are not next to each other" for key in repeated]
    for members in sets:
        problems += _set_problems(members, words)
    problems += _arm_problems(prompts)
    for prompt in prompts:
        if prompt.arm is not None and prompt.language.split("-")[0] == "en":
            problems += [f"grammar: {prompt.set_id} {prompt.group}: {issue}" for issue in lint(_text(prompt))]
    return problems


def _drawn(probe: Probe, seed: int, limit: int | None) -> list[Prompt]:
    prompts = list(islice(probe.prompts(rng(seed, "check", probe.info.name)), limit))
    if limit is not None and len(prompts) == limit and prompts[-1].set_id is not None:
        last = prompts[-1].set_id
        prompts = [prompt for prompt in prompts if prompt.set_id != last]
    return prompts


def _text(prompt: Prompt) -> str:
    return "\n".join(message.content for message in prompt.messages)


def _info_problems(probe: Probe) -> list[str]:
    info = probe.info
    texts = {
        "name": info.name,
        "version": info.version,
        "measures": info.measures,
        "source": info.source,
        "licence": info.licence,
        "cannot_show": info.cannot_show,
    }
    problems = [f"info: {key} is empty" for key, value in texts.items() if not value.strip()]
    problems += [
        f"info: {key} is empty"
        for key, values in (("harms", info.harms), ("languages", info.languages))
        if not values
    ]
    return problems


def _id_problems(prompts: Sequence[Prompt], name: str) -> list[str]:
    counts = Counter(prompt.id for prompt in prompts)
    problems = [f"id {key}: given to {count} prompts" for key, count in counts.items() if count > 1]
    for prompt in prompts:
        fields = {key: getattr(prompt, key) for key in type(prompt).model_fields if key != "id"}
        if Prompt.make(**fields).id != prompt.id:
            problems.append(f"id {prompt.id}: not computed from the content; use Prompt.make")
        if prompt.probe != name:
            problems.append(f"id {prompt.id}: probe is {prompt.probe!r}, info.name is {name!r}")
    return problems


def _duplicate_problems(prompts: Sequence[Prompt]) -> list[str]:
    # Members of other sets may share a text by design: the neutral text is in several placebo sets.
    counts = Counter(
        (prompt.set_id or "", prompt.source_id or "", _text(prompt))
        for prompt in prompts
        if prompt.placebo is not Placebo.RESAMPLE
    )
    return [
        f"duplicate: {count} times {text[:40]!r} ({key})"
        for (key, _, text), count in counts.items()
        if count > 1
    ]


def _arm_problems(prompts: Sequence[Prompt]) -> list[str]:
    asked = {prompt.domain for prompt in prompts if prompt.arm is Arm.COUNTERFACTUAL}
    controlled = {prompt.domain for prompt in prompts if prompt.arm is Arm.PLACEBO}
    return [
        f"placebo: domain {domain} has counterfactual sets and no placebo set"
        for domain in sorted(asked - controlled)
    ]


def _set_problems(members: list[Prompt], words: frozenset[str]) -> list[str]:
    first = members[0]
    label = f"set {first.set_id}"
    groups = [member.group for member in members]
    problems: list[str] = []
    if len(members) < 2:  # noqa: PLR2004 - a comparison needs two
        problems.append(f"{label}: has one member only")
    if None in groups or len(set(groups)) != len(groups):
        problems.append(f"{label}: every member must have a group of its own; got {groups}")
    if first.reference not in groups:
        problems.append(f"{label}: reference {first.reference!r} is none of its groups")
    if first.arm is None or (first.placebo is not None) != (first.arm is Arm.PLACEBO):
        problems.append(f"{label}: arm is missing, or does not agree with placebo")
    if first.arm is Arm.COUNTERFACTUAL and None in (first.attribute, first.signal, first.norm):
        problems.append(f"{label}: a counterfactual set must state attribute, signal and norm")
    if len({_shared(member) for member in members}) > 1:
        problems.append(f"{label}: members differ in template, domain, expectation, tags or labels")
    if first.placebo is not Placebo.PARAPHRASE:
        problems += [issue for member in members[1:] for issue in _difference(first, member, words)]
    return problems


def _shared(prompt: Prompt) -> tuple[object, ...]:
    return (
        prompt.template,
        prompt.domain,
        prompt.language,
        prompt.expectation,
        prompt.arm,
        prompt.placebo,
        prompt.attribute,
        prompt.reference,
        prompt.signal,
        prompt.norm,
        tuple(sorted(prompt.tags.items())),
        tuple(message.role for message in prompt.messages),
    )


def _difference(first: Prompt, other: Prompt, words: frozenset[str]) -> list[str]:
    """What is not the same in two members once the words that convey the group are taken out."""
    names = frozenset(word for prompt in (first, other) for word in _named(prompt))
    left, right = _rest(first, words | names), _rest(other, words | names)
    label = f"set {first.set_id}: {first.group} and {other.group} differ in more than the group"
    for one, two in zip(left, right, strict=False):
        if one != two and not _agrees(one, two):
            return [f"{label}: {one!r} against {two!r}"]
    if len(left) != len(right):
        return [f"{label}: {len(left)} against {len(right)} other words"]
    return []


def _named(prompt: Prompt) -> list[str]:
    """The words of the names of a prompt, of which a comparison of people has several."""
    return (prompt.name or "").lower().replace(";", " ").split()


def _rest(prompt: Prompt, words: frozenset[str]) -> list[str]:
    return [word for word in _TOKEN.findall(_text(prompt)) if not _conveys(word, words)]


def _conveys(word: str, words: frozenset[str]) -> bool:
    lowered = word.lower()
    return lowered in words or _AGE.fullmatch(lowered) is not None


def _agrees(one: str, two: str) -> bool:
    """True if both are one verb that agrees with two subjects, such as `brings` and `bring`."""
    longer, shorter = sorted((one.lower(), two.lower()), key=len, reverse=True)
    if (longer, shorter) in _IRREGULAR or (shorter, longer) in _IRREGULAR:
        return True
    return longer in (f"{shorter}s", f"{shorter}es") or (
        shorter.endswith("y") and longer == f"{shorter[:-1]}ies"
    )


def _identity_words() -> frozenset[str]:
    said = [
        phrase
        for attribute in load_attributes()
        for group in attribute.groups
        for phrase in (group.adjective, group.noun, "person")
    ]
    said += [description for pair in load_mentions() for description in pair]
    return _FUNCTION_WORDS | {word.lower() for phrase in said for word in phrase.split()}
