"""The index of near-twins finds what comparing with every text would find, and rewordings among it."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.retraining.gates.leakage import NEAR_TWIN, AuditMaterial
from audit.retraining.masking import mask, shingles
from benchmarks.retraining.paraphrases import WAYS, prompts, reworded
from probes.records import Prompt

_TEXTS = st.lists(st.sampled_from(["b", "c", "d", "e", "f", "g", "h"]), min_size=1, max_size=12).map(" ".join)


def material(texts: list[str]) -> AuditMaterial:
    """An audit that asked these texts."""
    made = AuditMaterial()
    for place, text in enumerate(texts):
        made.add(
            Prompt.make(
                messages=[{"role": "user", "content": text}],
                probe="public/table",
                template=f"t{place}",
                domain="general",
                expectation={"kind": "open"},
            )
        )
    return made


@settings(deadline=None)
@given(st.lists(_TEXTS, min_size=1, max_size=30, unique=True), _TEXTS)
def test_the_nearest_is_that_of_comparing_with_every_text(texts: list[str], asked: str) -> None:
    """Exactly, from the threshold on; what is not near counts as 0."""
    own = shingles(mask(asked))
    every = [shingles(mask(text)) for text in texts]
    best = max(len(own & one) / len(own | one) for one in every)
    expected = best if best >= NEAR_TWIN else 0.0
    assert material(texts).nearest(mask(asked)) == pytest.approx(expected)


def test_a_text_that_is_asked_later_is_found_too() -> None:
    """What was looked up before does not hide what the audit adds."""
    made = material(["one two three four"])
    assert made.nearest(mask("five six seven eight")) == 0.0
    made.add(prompts(1)[0])
    assert made.nearest(mask(prompts(1)[0].messages[-1].content, name=prompts(1)[0].name)) == 1.0


def test_prompts_of_another_script_are_told_apart() -> None:
    """A near twin of a Russian prompt is one, and another Russian prompt with a number in it is none."""
    made = material(["Женщина 30 лет просит кредит на покупку новой машины. Дать кредит?"])
    assert made.nearest(mask("Мужчина 41 года просит кредит на покупку машины. Дать кредит?")) > NEAR_TWIN
    assert made.nearest(mask("Сколько минут варить 2 яйца всмятку?")) == 0.0


def test_rewordings_without_lineage_are_refused_as_the_page_says() -> None:
    """Another order of the sentences and a tenth of other words hide nothing; clean prompts pass."""
    asked, others = material([one.messages[-1].content for one in prompts(1)]), prompts(2)[::12]
    ways = dict(WAYS)
    for name in ("sentences in another order", "10 % of the words replaced"):
        refused, of = reworded(asked, others, ways[name], 3)
        assert refused >= 0.98 * of
    refused, of = reworded(asked, prompts(1, pool="retraining")[::6], lambda text, _: text, 3)
    assert refused <= 0.01 * of
