"""Distances between paired replies: placebo taken away, the right placebo, verdicts, and hostile texts."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from audit.api import collect, create_run, find, score
from audit.estimates.distances import distances
from audit.estimates.reply_pairs import sentiment_pairs, similarity_pairs
from audit.findings import findings
from audit.findings.claims import claim
from audit.records import Estimate, Verdict
from audit.spec import Judgement, parse_spec
from audit.statistics.cluster_t import cluster_t_interval
from audit.statistics.text_similarity import bleu, cosine_similarity, rouge_l
from audit.store.replies import read_replies
from tests.audit.tables import Fact, pairs, placebos, readings, source

N = 24
SENTIMENT = {"analyzer": "sentiment", "measure": "sentiment", "expects": "open"}


def of(facts: Sequence[Fact]) -> dict[tuple[str, str], Estimate]:
    """Estimates of sentiment bias by kind and measure."""
    frame = readings(facts).outputs
    rows = frame.assign(value=np.array([float(str(fact["value"])) for fact in facts]))
    return {(one.kind, one.measure): one for one in distances([sentiment_pairs(rows)], Judgement())}


def test_the_excess_is_target_minus_placebo_by_template() -> None:
    """On paper: the mean difference of the two distances, with the cluster-t interval over templates."""
    women = [[0.2 + 0.02 * t] for t in range(N)]
    shifted = [[0.1 + 0.01 * (t % 3)] for t in range(N)]
    facts = [
        *pairs(women, [[0.0]] * N, **SENTIMENT),
        *placebos(shifted, [[0.0]] * N, placebo="mention", signal="explicit", **SENTIMENT),
    ]
    found = of(facts)[("distance", "counterfactual_sentiment_bias_strong_excess")]
    by_hand = [(women[t][0] - shifted[t][0]) / 2 for t in range(N)]
    expected = cluster_t_interval(by_hand, bounds=(-1.0, 1.0))
    assert found.point == pytest.approx(expected.point)
    assert (found.ci_low, found.ci_high) == pytest.approx((expected.interval.low, expected.interval.high))
    assert "mention placebo" in found.method
    score_ = of(facts)[("score", "counterfactual_sentiment_bias_strong")]
    assert score_.point == pytest.approx(np.mean(women) / 2)
    assert score_.verdict is Verdict.OBSERVED


def test_domains_of_few_templates_do_not_enter_what_is_pooled() -> None:
    """As for disparities: four templates far from the others move nothing, and the method names them."""
    many = [
        *pairs([[0.2 + 0.02 * t] for t in range(N)], [[0.0]] * N, **SENTIMENT),
        *placebos([[0.1]] * N, [[0.0]] * N, placebo="mention", signal="explicit", **SENTIMENT),
    ]
    few = [
        *pairs([[1.0]] * 4, [[0.0]] * 4, **SENTIMENT),
        *placebos([[0.0]] * 4, [[0.0]] * 4, placebo="mention", signal="explicit", **SENTIMENT),
    ]
    small = [
        {**fact, "domain": "small", "template": f"s{fact['template']}", "set_id": f"s{fact['set_id']}"}
        for fact in few
    ]
    frame = readings([*many, *small]).outputs
    rows = frame.assign(value=np.array([float(str(fact["value"])) for fact in (*many, *small)]))
    for kind in ("distance", "score"):
        pooled = [
            one
            for one in distances([sentiment_pairs(rows)], Judgement())
            if one.kind == kind and one.domain == "all" and "strong" in one.measure
        ]
        alone = of(many)[(kind, pooled[0].measure)]
        assert pooled[0].point == pytest.approx(alone.point)
        assert pooled[0].n_clusters == N
        assert "left out: fewer than 5 templates in small" in pooled[0].method


def test_equal_noise_is_no_disparity_however_large_the_published_number() -> None:
    """Replies that differ as much between placebo members show nothing of the group."""
    draw = np.random.default_rng(4)
    sides = [draw.uniform(-1, 1, (N, 3)).tolist() for _ in range(4)]
    found = of(
        [
            *pairs(sides[0], sides[1], **SENTIMENT),
            *placebos(sides[2], sides[3], placebo="paraphrase", **SENTIMENT),
        ]
    )
    published = found["score", "counterfactual_sentiment_bias_strong"]
    assert published.ci_low is not None
    assert published.ci_low > 0.1
    assert found["distance", "counterfactual_sentiment_bias_strong_excess"].verdict is not Verdict.DISPARITY


def test_a_planted_distance_is_found_and_said() -> None:
    """Sentiment that moves with the group and not with the placebo is a disparity, with both values."""
    near = [[0.001 * t] for t in range(N)]
    facts = [
        *pairs([[-0.6 + 0.001 * t] for t in range(N)], near, **SENTIMENT),
        *placebos(near, near, placebo="mention", signal="explicit", **SENTIMENT),
    ]
    found = of(facts)["distance", "counterfactual_sentiment_bias_strong_excess"]
    assert found.verdict is Verdict.DISPARITY
    assert "an excess of +0.30" in claim(found)
    (finding,) = findings([found], source(facts))
    assert [one.group for one in finding.evidence[:2]] == ["women", "men"]
    assert len(finding.evidence) == 10


def test_a_distance_picked_among_several_is_material_only_by_the_wider_interval() -> None:
    """One of two families differs: its interval allows for having been picked, and decides `material`."""
    near = [[0.001 * t] for t in range(N)]
    spread = [[-0.2 - 0.02 * (t % 9)] for t in range(N)]
    facts = [
        *pairs(spread, near, **SENTIMENT),
        *pairs(near, near, arms=("nonbinary", "men"), **SENTIMENT),
        *placebos(near, near, placebo="mention", signal="explicit", **SENTIMENT),
    ]
    rows = readings(facts).outputs.assign(value=[float(str(fact["value"])) for fact in facts])
    pair = [sentiment_pairs(rows)]
    name = "counterfactual_sentiment_bias_strong_excess"
    found = {one.group: one for one in distances(pair, Judgement()) if one.measure == name}
    women = found["women"]
    assert found["nonbinary"].selected_ci_low is None
    assert women.ci_low is not None
    assert women.selected_ci_low is not None
    assert women.selected_ci_low < women.ci_low
    assert women.material
    between = (women.selected_ci_low + women.ci_low) / 2
    strict = {
        one.group: one for one in distances(pair, Judgement(margins={name: between})) if one.measure == name
    }
    assert not strict["women"].material


def test_a_template_of_two_domains_is_one_cluster() -> None:
    """Domains that ask the same templates say the same again, and their errors are counted once."""
    women = [[0.2 + 0.02 * t] for t in range(N)]
    near = [[0.001 * (t % 3)] for t in range(N)]
    alone = [
        *pairs(women, near, **SENTIMENT),
        *placebos(near, near, placebo="mention", signal="explicit", **SENTIMENT),
    ]
    again = [
        *pairs(women, near, domain="hiring", **SENTIMENT),
        *placebos(near, near, placebo="mention", signal="explicit", domain="hiring", **SENTIMENT),
    ]
    shared = [{**fact, "template": str(fact["template"]).replace("hiring", "lending")} for fact in again]
    for kind, measure in (
        ("score", "counterfactual_sentiment_bias_strong"),
        ("distance", "counterfactual_sentiment_bias_strong_excess"),
    ):
        once, twice = of(alone)[kind, measure], of([*alone, *shared])[kind, measure]
        apart = of([*alone, *again])[kind, measure]
        assert twice.domain == apart.domain == "all"
        assert (twice.n_clusters, apart.n_clusters) == (N, 2 * N)
        assert None not in {once.ci_low, twice.ci_low, apart.ci_low}
        width = [float(one.ci_high or 0) - float(one.ci_low or 0) for one in (once, twice, apart)]
        assert width[1] == pytest.approx(width[0], rel=0.01)
        assert width[2] < 0.8 * width[1]


def test_a_distance_between_names_is_observed_and_not_judged() -> None:
    """Templates alone do not tell a few unlike names from unlike groups."""
    near = [[0.001 * t] for t in range(N)]
    facts = [
        *pairs([[-0.6 + 0.001 * t] for t in range(N)], near, signal="name", **SENTIMENT),
        *placebos(near, near, placebo="name_swap", signal="name", **SENTIMENT),
    ]
    found = of(facts)["distance", "counterfactual_sentiment_bias_strong_excess"]
    assert (found.verdict, found.p_value) == (Verdict.OBSERVED, None)
    assert found.point == pytest.approx(0.3)
    assert "not how names do" in found.reasons[0]


def test_a_distance_beside_the_same_prompt_again_is_observed_and_not_judged() -> None:
    """Replies may hang on every word of a prompt and on no group, and be the same whenever it is the same."""
    rng = np.random.default_rng(5)
    women, men = ([[float(value)] for value in rng.uniform(-0.9, 0.9, N)] for _ in range(2))
    facts = [*pairs(women, men, **SENTIMENT), *placebos(men, men, placebo="resample", **SENTIMENT)]
    name = "counterfactual_sentiment_bias_strong_excess"
    found = of(facts)["distance", name]
    assert (found.verdict, found.p_value, found.p_adjusted) == (Verdict.OBSERVED, None, None)
    assert found.ci_low is not None
    assert found.ci_low > 0
    assert "the same prompt again" in found.reasons[0]
    reworded = placebos(women, men, placebo="paraphrase", **SENTIMENT)
    assert of([*facts, *reworded])["distance", name].verdict is not Verdict.DISPARITY


def test_placebos_that_differ_more_show_nothing_of_the_group() -> None:
    """The direction counts: an excess on the near side is never a disparity."""
    near = [[0.001 * t] for t in range(N)]
    facts = [
        *pairs(near, near, **SENTIMENT),
        *placebos([[0.7 + 0.001 * (t % 7)] for t in range(N)], near, placebo="mention", **SENTIMENT),
    ]
    found = of(facts)["distance", "counterfactual_sentiment_bias_strong_excess"]
    assert found.verdict is Verdict.INCONCLUSIVE
    assert "placebo replies lie further apart" in found.reasons[0]


def test_a_run_without_sentiment_states_none() -> None:
    """Without readings there are no pairs and no estimates, rather than zeros."""
    assert distances([sentiment_pairs(readings([]).outputs.assign(value=0.0))], Judgement()) == []


def test_without_placebo_the_excess_is_not_measured() -> None:
    """The published number stands alone then, observed, and nothing is claimed."""
    found = of(pairs([[0.5]] * N, [[0.0]] * N, **SENTIMENT))
    excess = found["distance", "counterfactual_sentiment_bias_strong_excess"]
    assert excess.verdict is Verdict.NOT_MEASURED
    assert "any two replies differ" in excess.reasons[0]


def text_rows() -> tuple[pd.DataFrame, dict[int, str]]:
    """Outputs of two sets of two repeats with their texts, hostile ones among them."""
    facts = pairs([[1.0, 1.0]] * 2, [[1.0, 1.0]] * 2, expects="open")
    said = [
        "we approve the loan today",
        "we approve",
        "we decline the loan today",
        "\x1b[31m<script>alert(1)</script>\ud800",
        "",
        "same words here",
        "!!! ???",
        "same words here",
    ]
    rows = readings(facts).outputs
    return rows, dict(zip(rows["output"].tolist(), said, strict=True))


def test_texts_are_compared_repeat_by_repeat() -> None:
    """A set's value is the mean over its repeats of what the statistics give; a wordless reply has none."""
    rows, texts = text_rows()
    asked = [list(texts.items())[:3], list(texts.items())[3:]]
    found = similarity_pairs(rows, lambda: iter(asked)).set_index("set_id")
    women, men = ["we approve the loan today", "we approve"], list(texts.values())[2:4]
    first = found.loc["lending-genderwomenexplicit-0"]
    cosine = cosine_similarity(women, men, corpus=list(texts.values()))
    assert first["counterfactual_cosine_similarity"] == pytest.approx(cosine.mean())
    assert first["counterfactual_rouge_l_similarity"] == pytest.approx(rouge_l(women, men).mean())
    assert first["counterfactual_bleu_similarity"] == pytest.approx(bleu(women, men).mean())
    second = found.loc["lending-genderwomenexplicit-1"]
    assert second["counterfactual_rouge_l_similarity"] == 1.0


def test_a_reply_that_is_missing_has_no_pair() -> None:
    """Of a set that lacks a reply only the repeats that both members have are compared."""
    rows, texts = text_rows()
    del texts[rows["output"].iloc[1]]
    found = similarity_pairs(rows, lambda: iter([list(texts.items())])).set_index("set_id")
    alone = rouge_l(["we approve the loan today"], ["we decline the loan today"])[0]
    assert found.loc["lending-genderwomenexplicit-0", "counterfactual_rouge_l_similarity"] == alone


SPEC = """\
version: 1
name: texts
seed: 3
target: {type: specimen}
repeats: 1
probes:
  - use: bias/decisions
    domains: [lending]
    attributes: [gender]
    signals: [name]
    merit: [borderline]
    templates: 16
    placebos: [name_swap]
analyzers: [decision]
judgement: {text_similarity: all}
"""


def test_a_run_states_similarities_beside_name_swaps(tmp_path: Path) -> None:
    """From the store's texts to the document: a coin's replies are as alike as those to swapped names."""
    spec = parse_spec(SPEC, "spec.yaml")
    run = create_run(spec, tmp_path / "run", root=tmp_path, where="spec.yaml")
    asyncio.run(collect(run, secrets={}))
    score(run)
    found = {one.measure: one for one in find(run).estimates if one.kind == "distance"}
    assert len(found) == 3
    for one in found.values():
        assert "name_swap placebo" in one.method
        assert one.verdict is not Verdict.DISPARITY
    with run.store(read_only=True) as store:
        asked = sum(1 for prompt in store.prompts() if prompt.set_id is not None)
    assert sum(len(batch) for batch in read_replies(run.folder.path, "target", ("choice",))) == asked
    assert list(read_replies(run.folder.path, "target", ("open",))) == []
