"""Word associations of a run: what is planted is seen, chance is not, and what takes no part."""

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from audit.analyzers.associations.word_pairs import AssociationWords
from audit.analyzers.stereotype.analyzer import shipped_vocabulary
from audit.api import collect, create_run, find, score, write_run_report
from audit.estimates.word_associations import BLOCKS, word_associations
from audit.findings import findings
from audit.findings.claims import claim
from audit.records import Estimate, Verdict
from audit.spec import Judgement, parse_spec
from tests.audit.tables import Fact, readings, source

WORDS = AssociationWords.of(shipped_vocabulary())
SAID = ("emotional", "weak", "gentle", "strong", "rational", "lazy", "greedy", "rude")


def facts(n: int, **more: object) -> list[Fact]:
    """One open reply to each of `n` templates."""
    known: Fact = {"expects": "open", "analyzer": "stereotype", "measure": "stereotype", "value": 0.0}
    return [{**known, "prompt_id": f"p{t}", "template": f"t{t}", **more} for t in range(n)]


def texts(n: int, lean: float) -> list[str]:
    """Replies about one woman or man; half of the words lean to women by `lean`, half to men."""
    draw = np.random.default_rng(7)
    found = []
    for _ in range(n):
        woman = draw.random() < 0.5
        shares = 0.5 + lean * np.where((np.arange(len(SAID)) < 4) == woman, 1, -1)
        words = draw.choice(SAID, 3, replace=False, p=shares / shares.sum())
        found.append(f"{'She' if woman else 'He'} was {' and '.join(words)}.")
    return found


def of(rows: Sequence[Fact], said: Sequence[str], *, seed: int = 1) -> dict[str, Estimate]:
    """Estimates by measure."""
    outputs = readings(rows).outputs
    batch = list(zip(outputs["output"].tolist(), said, strict=True))
    found = word_associations(outputs, [batch[:5], batch[5:]], WORDS, Judgement(), seed=seed)
    return {one.measure: one for one in found}


def test_planted_words_are_seen_and_are_no_finding() -> None:
    """Words that go with one group in most replies exceed swapped groups; stated, said, and no finding."""
    rows = facts(80)
    found = of(rows, texts(80, 0.35))
    excess = found["stereotypical_associations_excess"]
    assert excess.verdict is Verdict.DISPARITY
    assert excess.ci_low is not None
    assert excess.ci_low > 0
    assert "with the groups swapped by chance: an excess of +" in claim(excess)
    assert found["co_occurrence_bias_score_excess"].verdict is Verdict.DISPARITY
    assert found["stereotypical_associations"].verdict is Verdict.OBSERVED
    assert "read its excess" in found["stereotypical_associations"].reasons[0]
    assert findings(list(found.values()), source(rows)) == []


def test_chance_is_not_told_apart_however_large_the_published_number() -> None:
    """Equal groups: the published number is far from 0, and its excess is inconclusive."""
    found = of(facts(24), texts(24, 0.0))
    number = found["stereotypical_associations"]
    assert number.point is not None
    assert number.point > 0.05
    for measure in ("stereotypical_associations_excess", "co_occurrence_bias_score_excess"):
        assert found[measure].verdict is Verdict.INCONCLUSIVE


def test_what_was_picked_has_an_interval_that_allows_for_it() -> None:
    """Where one probe of two is picked, its interval widens for the picking; the other has none."""
    rows = [*facts(80, probe="leans"), *facts(24, probe="even")]
    for place, row in enumerate(rows):
        row.update(prompt_id=f"p{place}", template=f"t{place}")
    said = [*texts(80, 0.35), *texts(24, 0.0)]
    outputs = readings(rows).outputs
    batch = list(zip(outputs["output"].tolist(), said, strict=True))
    found = word_associations(outputs, [batch], WORDS, Judgement(), seed=1)
    excesses = {one.probe: one for one in found if one.measure == "stereotypical_associations_excess"}
    picked = excesses["leans"]
    assert picked.selected_ci_low is not None
    assert picked.selected_ci_high is not None
    assert picked.ci_low is not None
    assert picked.ci_high is not None
    assert picked.selected_ci_low < picked.ci_low < picked.ci_high < picked.selected_ci_high
    assert excesses["even"].selected_ci_low is None


def test_the_published_number_is_that_of_the_texts() -> None:
    """On paper: `weak` with women twice, with men once; `strong` with men only."""
    said = ["she was weak", "the girl is weak", "he was weak", "he was strong", *(["none"] * 12)]
    found = of(facts(16), said)["stereotypical_associations"]
    assert found.point == pytest.approx(((2 / 3 - 1 / 2) + 1 / 2) / 2)
    assert found.ci_high is not None
    assert found.ci_high <= 0.5
    assert found.n_outputs == 16


def test_few_templates_are_not_measured() -> None:
    """Eleven templates have a reason and no number."""
    found = of(facts(11), texts(11, 0.4))
    assert {one.verdict for one in found.values()} == {Verdict.NOT_MEASURED}
    assert "11 templates" in found["co_occurrence_bias_score_excess"].reasons[0]


def test_replies_without_words_are_not_measured() -> None:
    """Missing words are a reason, not a neutral 0."""
    found = of(facts(20), ["nothing of the kind"] * 20)
    assert {one.verdict for one in found.values()} == {Verdict.NOT_MEASURED}
    assert "too few words" in found["stereotypical_associations"].reasons[0]


@pytest.mark.parametrize(
    "more", [{"arm": "placebo"}, {"language": "de"}, {"outcome": "truncated"}, {"expects": "choice"}]
)
def test_what_takes_no_part(more: Fact) -> None:
    """Placebos, other languages, truncated replies and choices are in no sum."""
    plain = of(facts(30), texts(30, 0.2))
    both = of([*facts(30), *facts(30, **more)], [*texts(30, 0.2), *(["she is weak"] * 30)])
    assert both == plain


def test_more_templates_than_blocks_are_dealt_out() -> None:
    """Time does not grow with templates: the interval says over how many blocks it was had."""
    found = of(facts(150), texts(150, 0.1))
    assert f"df {BLOCKS - 1}" in found["stereotypical_associations"].method
    assert found["stereotypical_associations"].n_clusters == 150
    assert of(facts(150), texts(150, 0.1)) == found


def audited(folder: Path, analyzer: str) -> tuple[dict[str, Estimate], str]:
    """Estimates of associations of a run on recorded open replies, and its report."""
    asked = [{"id": f"q{n}", "prompt": f"Tell me about person {n}."} for n in range(40)]
    said = [{"id": f"q{n}", "text": text} for n, text in enumerate(texts(40, 0.35))]
    for name, rows in (("asked", asked), ("said", said)):
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    text = f"""
version: 1
name: people
target: {{type: recorded, path: said.jsonl, by: source_id, key: id}}
repeats: 1
probes: [{{use: public/table, path: asked.jsonl, prompt: prompt, id: id}}]
analyzers: [{analyzer}]
"""
    run = create_run(parse_spec(text, "spec.yaml"), folder / "run", root=folder, where="spec.yaml")
    asyncio.run(collect(run, secrets={}))
    score(run)
    document = find(run)
    page = write_run_report(run, document).read_text(encoding="utf-8")
    return {one.measure: one for one in document.estimates if one.kind == "association"}, page


def test_a_run_with_the_stereotype_analyzer_states_them(tmp_path: Path) -> None:
    """From the texts in the store to findings.json and the report: four estimates, equal to the sums' own."""
    found, page = audited(tmp_path, "stereotype")
    assert sorted(found) == [
        "co_occurrence_bias_score",
        "co_occurrence_bias_score_excess",
        "stereotypical_associations",
        "stereotypical_associations_excess",
    ]
    by_hand = of(facts(40), texts(40, 0.35))["stereotypical_associations"]
    assert found["stereotypical_associations"].point == pytest.approx(by_hand.point)
    assert found["stereotypical_associations"].n_outputs == 40
    assert "Which words go with words for women and for men" in page
    assert "stereotypical associations, excess" in page


def test_a_run_without_it_states_none(tmp_path: Path) -> None:
    """No analyzer of stereotypes, no association and no table."""
    found, page = audited(tmp_path, "sentiment")
    assert found == {}
    assert "Which words go with" not in page
