"""How many rewordings of an audit's prompts, with their lineage lost, the gate of near-twins refuses.

    python -m benchmarks.retraining.paraphrases

Every lending prompt of an audit is reworded in steps, told of other people, and looked up; beside it, every
clean prompt of the retraining pool is. A quarter of a minute of one core, no network.
"""

import re
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from audit.retraining.gates.leakage import NEAR_TWIN, AuditMaterial, read_audit
from audit.retraining.masking import mask
from audit.statistics.rates import clopper_pearson_interval
from probes.bias.decisions import DecisionsOptions, DecisionsProbe
from probes.records import Prompt
from probes.seeds import rng

__all__ = ["main", "reworded", "table"]

SEED = 20264
DOMAIN = "lending"
_SENTENCE = re.compile(r"(?<=[.?!])\s+")
_WORD = re.compile(r"[A-Za-z]+")

Reword = Callable[[str, np.random.Generator], str]


def prompts(seed: int, *, pool: str = "audit", placebos: Sequence[str] = ()) -> list[Prompt]:
    """Lending prompts of a pool; another seed tells of other people and figures."""
    given = {"domains": (DOMAIN,), "pool": pool, "placebos": tuple(placebos)}
    return list(
        DecisionsProbe(DecisionsOptions.model_validate(given)).prompts(rng(seed, "paraphrases", pool))
    )


def shuffled(text: str, source: np.random.Generator) -> str:
    """The sentences in another order."""
    parts = _SENTENCE.split(text)
    return " ".join(parts[int(place)] for place in source.permutation(len(parts)))


def without(share: float) -> Reword:
    """Takes a share of the sentences out, one at least."""

    def reword(text: str, source: np.random.Generator) -> str:
        parts = _SENTENCE.split(text)
        out = set(source.permutation(len(parts))[: max(1, round(share * len(parts)))].tolist())
        return " ".join(part for place, part in enumerate(parts) if place not in out)

    return reword


def replaced(share: float) -> Reword:
    """Puts a word that no prompt has in the place of a share of the words."""

    def reword(text: str, source: np.random.Generator) -> str:
        return _WORD.sub(lambda found: "otherwise" if source.random() < share else found[0], text)

    return reword


WAYS: tuple[tuple[str, Reword], ...] = (
    ("sentences in another order", shuffled),
    ("a quarter of the sentences left out", without(0.25)),
    ("half of the sentences left out", without(0.5)),
    ("5 % of the words replaced", replaced(0.05)),
    ("10 % of the words replaced", replaced(0.10)),
    ("15 % of the words replaced", replaced(0.15)),
    ("20 % of the words replaced", replaced(0.20)),
    ("30 % of the words replaced", replaced(0.30)),
)


def reworded(material: AuditMaterial, texts: Sequence[Prompt], way: Reword, seed: int) -> tuple[int, int]:
    """How many rewordings are refused, of how many.

    Args:
        material: What the audit asked.
        texts: The same templates, told of other people.
        way: How each is reworded.
        seed: Seed of the rewording.
    """
    source = rng(seed, "rewording")
    near = [material.nearest(mask(way(one.messages[-1].content, source), name=one.name)) for one in texts]
    return sum(one >= NEAR_TWIN for one in near), len(near)


def table() -> str:
    """The table as Markdown."""
    material = read_audit(prompts(SEED))
    others = prompts(SEED + 1)
    asked = [one for one in prompts(SEED + 1, placebos=("paraphrase",)) if one.placebo is not None]
    rows = [("told of other people, in the same words", *reworded(material, others, _same, SEED))]
    rows.append(("the question in the template's other words", *reworded(material, asked, _same, SEED)))
    rows += [(name, *reworded(material, others, way, SEED)) for name, way in WAYS]
    clean = prompts(SEED, pool="retraining")
    rows.append(("clean: templates of the retraining pool", *reworded(material, clean, _same, SEED)))
    return "\n".join(_lines(rows))


def _same(text: str, _: np.random.Generator) -> str:
    return text


def _lines(rows: Sequence[tuple[str, int, int]]) -> Iterator[str]:
    yield "| an audit prompt | refused | of | 95 % interval |"
    yield "| --- | --- | --- | --- |"
    for name, hits, trials in rows:
        found = clopper_pearson_interval(hits, trials)
        bounds = f"{100 * found.low:.1f} to {100 * found.high:.1f} %"
        yield f"| {name} | {100 * hits / trials:.1f} % | {trials} | {bounds} |"


def main() -> None:
    """Print the table."""
    print(table())


if __name__ == "__main__":
    main()
