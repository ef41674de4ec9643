"""The logged analyzer: another tool's own scores, found by conversation and reply, and nothing guessed."""

import asyncio
import json
from pathlib import Path

import pytest
import yaml
from pydantic import ValidationError

from audit import api
from audit.analyzers.base import AnalyzerContext
from audit.analyzers.logged import LoggedAnalyzer
from audit.errors import InputError
from audit.plugins import build_analyzer
from audit.records import Exchange
from audit.runs import create_run
from audit.spec import parse_spec
from probes.records import Expectation, Message
from tests.probes.public.logs.shapes import garak_report, inspect_archive, inspect_sample, write_lines


def _analyzer(folder: Path, path: str, *scores: dict[str, object], **more: object) -> LoggedAnalyzer:
    options = LoggedAnalyzer.Options.model_validate({"path": path, "scores": scores, **more})
    return LoggedAnalyzer(options, AnalyzerContext(root=folder))


def _exchange(asked: str, reply: str, number: int = 1) -> Exchange:
    return Exchange(
        output=number,
        messages=(Message(role="user", content=asked),),
        reply=reply,
        expectation=Expectation(kind="open"),
    )


def _garak(folder: Path) -> str:
    attempts: list[dict[str, object]] = [
        {
            "prompt": f"Say it {number}",
            "outputs": [{"text": "word"}, {"text": "no"}, {"text": "\ud800"}],
            "detector_results": {"lexicon.Word": [1.0, 0.25, None]},
        }
        for number in range(2)
    ]
    rows = garak_report(attempts)
    # Before detection an attempt has no scores.
    before = [row | {"detector_results": {}} if row.get("status") == 1 else row for row in rows]
    return write_lines(folder / "g.report.jsonl", before).name


def test_a_detectors_scores_are_read_beside_their_replies(tmp_path: Path) -> None:
    """A score is found by conversation and reply; a number is itself, or 1 from a threshold on."""
    path = _garak(tmp_path)
    plain: dict[str, object] = {"name": "word", "fact": "detector_results.lexicon.Word"}
    analyzer = _analyzer(tmp_path, path, plain, plain | {"name": "word_said", "at_least": 0.5})
    exchanges = [_exchange("Say it 0", text) for text in ("word", "no", "\ufffd", "elsewhere")]
    found = [(one.measure, one.value, one.label) for one in analyzer.score(exchanges)]
    assert found == [
        ("word", 1.0, "logged"),
        ("word_said", 1.0, "logged"),
        ("word", 0.25, "logged"),
        ("word_said", 0.0, "logged"),
        ("word", None, "unparsed"),
        ("word_said", None, "unparsed"),
        ("word", None, "not_in_log"),
        ("word_said", None, "not_in_log"),
    ]
    assert analyzer.info.measures == ("word", "word_said")
    other = _analyzer(tmp_path, path, plain)
    assert other.info.version != analyzer.info.version


def test_texts_count_by_name_and_two_scores_of_one_reply_are_none(tmp_path: Path) -> None:
    """Inspect's letters count as the spec says; a reply that two epochs scored differently has no score."""
    samples = [
        inspect_sample("a", epoch, "Enter?", reply, scores={"judge": {"value": value}}, messages=[])
        for epoch, reply, value in ((1, "yes", "C"), (2, "no", "I"), (3, "hm", "C"), (4, "hm", "I"))
    ]
    inspect_archive(tmp_path / "log.eval", samples)
    score = {"name": "judged_wrong", "fact": "scores.judge.value", "counts": ["I"], "limit": True}
    analyzer = _analyzer(tmp_path, "log.eval", score)
    found = analyzer.score([_exchange("Enter?", text) for text in ("yes", "no", "hm")])
    assert [(one.value, one.label) for one in found] == [(0.0, "logged"), (1.0, "logged"), (None, "differs")]


def test_a_score_that_is_nowhere_is_refused(tmp_path: Path) -> None:
    """A typing error would leave every reply without a score: it is said instead."""
    analyzer = _analyzer(tmp_path, _garak(tmp_path), {"name": "word", "fact": "detector_results.Word"})
    with pytest.raises(InputError, match=r"no entry has a score under 'detector_results.Word'"):
        analyzer.score([_exchange("Say it 0", "word")])
    with pytest.raises(InputError, match="no such file"):
        _analyzer(tmp_path, "none.jsonl", {"name": "word", "fact": "x"})


@pytest.mark.parametrize(
    ("scores", "said"),
    [
        ([], "at least 1 item"),
        ([{"name": "a", "fact": "x"}, {"name": "a", "fact": "y"}], "different names"),
        ([{"name": "A b", "fact": "x"}], "match pattern"),
        ([{"name": "a", "fact": "x", "counts": ["I"], "at_least": 0.5}], "exclude each other"),
    ],
)
def test_options_are_checked(scores: list[dict[str, object]], said: str) -> None:
    """What could be meant in two ways is refused."""
    with pytest.raises(ValidationError, match=said):
        LoggedAnalyzer.Options.model_validate({"path": "x", "scores": scores})


def test_a_tools_own_scores_become_rates_with_clustered_intervals(tmp_path: Path) -> None:
    """A garak report is judged by its own detector, over templates, against a limit of the spec."""
    attempts: list[dict[str, object]] = [
        {
            "prompt": f"Say it {case} {way}",
            "goal": f"goal {case}",
            "outputs": [{"text": f"word {way}" if case < 8 else f"no {way}"}],
            "detector_results": {"lexicon.Word": [float(case < 8)]},
        }
        for case in range(16)
        for way in range(3)
    ]
    write_lines(tmp_path / "g.report.jsonl", garak_report(attempts))
    spec = {
        "version": 1,
        "name": "own detector",
        "target": {"type": "recorded", "path": "g.report.jsonl"},
        "probes": [{"use": "public/log", "path": "g.report.jsonl", "template": "goal"}],
        "analyzers": [
            {
                "use": "logged",
                "path": "g.report.jsonl",
                "scores": [{"name": "word_said", "fact": "detector_results.lexicon.Word", "limit": True}],
            }
        ],
        "judgement": {"rate_limits": {"word_said": 0.05}},
    }
    run = create_run(
        parse_spec(yaml.safe_dump(spec), "spec.yaml"), tmp_path / "run", root=tmp_path, where="spec.yaml"
    )
    asyncio.run(api.collect(run, secrets={}))
    api.score(run)
    (rate,) = [one for one in api.find(run).estimates if one.measure == "word_said" and one.attribute is None]
    assert (rate.point, rate.n_outputs, rate.n_clusters) == (0.5, 48, 16)
    assert rate.verdict == "exceeds"
    assert rate.ci_low is not None
    assert rate.ci_high is not None
    assert rate.ci_high - rate.ci_low > 0.4  # 48 rows as independent would give 0.28.
    assert any("not measured here" in note for note in rate.notes)
    assert json.loads((tmp_path / "run" / "findings.json").read_text())["analyzers"]["logged"].startswith(
        "1-"
    )


def test_it_is_found_by_its_name(tmp_path: Path) -> None:
    """A spec reaches it as `logged`."""
    options = {
        "path": _garak(tmp_path),
        "scores": [{"name": "word", "fact": "detector_results.lexicon.Word"}],
    }
    built = build_analyzer("logged", options, AnalyzerContext(root=tmp_path), where="spec.yaml: analyzers[0]")
    assert isinstance(built, LoggedAnalyzer)
