"""Limits hold over the whole run, on the command line, and what was used is written down."""

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from audit.ledger import read_ledger
from audit.run_folder import RunFolder
from tests.audit.cli.conftest import Command
from tests.servers.processes import stub_server

TARGET = 'def answer(prompt: str) -> str:\n    return "yes"\n'
SLOW = f"import time\n{TARGET.replace('    return', '    time.sleep(0.05); return')}"
BROKEN = TARGET.replace('return "yes"', 'raise ValueError("no")')
SPEC = """\
version: 1
name: limited
seed: 7
target: {{type: function, call: "quick:answer", deterministic: true, max_in_flight: 1{more}}}
probes: [{{use: public/table, path: asked.csv, prompt: prompt, options: options, answer: right}}]
analyzers: [decision]
limits: {limits}
"""
PRICE = ", price: {input_per_million: 1000000, output_per_million: 0, as_of: 2026-11-01}"


@pytest.fixture
def quick(home: Path) -> Iterator[Path]:
    """The home with a target that answers at once; 24 outputs are planned."""
    (home / "quick.py").write_text(TARGET)
    yield home
    sys.modules.pop("quick", None)  # The next test has one of its own.


def write(home: Path, limits: str, more: str = "") -> None:
    """Write the spec."""
    (home / "spec.yaml").write_text(SPEC.format(limits=limits, more=more))


def test_a_limit_holds_over_all_invocations(evenhand: Command, quick: Path) -> None:
    """What is used up stays used up: only --more gives room, and what was used is added up."""
    write(quick, "{requests: 10}")
    first = evenhand("run", "spec.yaml", "--out", "runs/a")
    assert first.code == 4
    assert "next: evenhand resume runs/a --more requests=10" in first.err
    again = evenhand("resume", "runs/a")
    assert again.code == 4
    assert "limits.requests: 10 reached over the whole run (10 used)" in again.err
    assert "answered 10" in again.err
    assert evenhand("resume", "runs/a", "--more", "requests=4").code == 4
    ledger = read_ledger(RunFolder(quick / "runs/a"))
    assert [one.requests for one in ledger.invocations] == [10, 4]
    assert {one.ended for one in ledger.invocations} == {"limit reached"}
    assert (ledger.raised, ledger.used["requests"]) == ({"requests": 4.0}, 14)
    assert evenhand("resume", "runs/a", "--more", "requests=10").code == 0
    ended = evenhand("resume", "runs/a", "--json")
    assert ended.code == 0  # Nothing is left to ask, so nothing is in the way.
    assert json.loads(ended.out)["collection"]["raised"] == {"requests": 14.0}


@pytest.mark.parametrize(
    ("limits", "target", "reason"),
    [
        ("{requests: 10}", TARGET, "limits.requests: 10 reached (10 used)"),
        ("{tokens: 40}", TARGET, "limits.tokens: 40 reached ("),
        ("{usd: 0.5}", TARGET, "limits.usd: 0.5 reached ("),
        ("{minutes: 0.005}", SLOW, "limits.minutes: 0.005 reached ("),
        ("{requests: 50}", BROKEN, "limits.error_rate: 20 of the last 20 outputs errored, accepted are 20%"),
    ],
)
def test_the_report_of_a_stopped_run_names_the_limit(
    evenhand: Command, quick: Path, limits: str, target: str, reason: str
) -> None:
    """The banner says which limit stopped the run, with its value, and nothing that a server said."""
    (quick / "quick.py").write_text(target)
    write(quick, limits, PRICE if "usd" in limits else "")
    evenhand("run", "spec.yaml", "--out", "runs/a")
    assert evenhand("score", "runs/a").code == 0
    assert evenhand("findings", "runs/a").code == 0
    assert evenhand("report", "runs/a").code == 0
    page = (quick / "runs/a/report.html").read_text(encoding="utf-8")
    banner = page[page.index('class="banner"') :][:600]
    assert "planned outputs were not asked" in banner
    assert "The last collection was stopped: " in banner
    assert reason in banner
    told = read_ledger(RunFolder(quick / "runs/a")).invocations[-1].reason
    assert told is not None
    assert "raised ValueError" not in told


def test_a_limit_reached_before_the_first_request_is_told(evenhand: Command, quick: Path) -> None:
    """An invocation that could ask nothing is kept with its reason, which findings and report say."""
    write(quick, "{minutes: 0.00000001}")
    assert evenhand("run", "spec.yaml", "--out", "runs/a").code == 4
    assert evenhand("resume", "runs/a").code == 4  # Told once: it changes nothing.
    (told,) = read_ledger(RunFolder(quick / "runs/a")).invocations
    assert (told.ended, told.requests, told.stored) == ("limit reached", 0, 0)
    reason = "was stopped: limits.minutes: 1e-08 reached ("
    assert f"warning: the last collection {reason}" in evenhand("findings", "runs/a").err
    page = (quick / "runs/a/report.html").read_text(encoding="utf-8")
    assert f"The last collection {reason}" in page[page.index('class="banner"') :][:600]


def test_canaries_count_in_every_invocation(evenhand: Command, quick: Path) -> None:
    """Requests, tokens and money of the canaries are in the ledger, also once a process was killed."""
    with stub_server() as url:
        write(quick, "{requests: 12}", PRICE)
        spec = (quick / "spec.yaml").read_text().replace("name: limited", "name: limited\ncanaries: 2")
        told = 'type: function, call: "quick:answer", deterministic: true'
        (quick / "spec.yaml").write_text(spec.replace(told, f"type: openai, base_url: '{url}', model: m"))
        assert evenhand("run", "spec.yaml", "--out", "runs/a").code == 4
        folder = RunFolder(quick / "runs/a")
        ledger = read_ledger(folder)
        canaries, plan = ledger.canaries["target"], ledger.use["target"]
        assert (canaries.outputs, plan.outputs) == (4, 8)
        assert canaries.prompt_tokens > 0
        assert canaries.usd == canaries.prompt_tokens
        taken = [one.prompt_tokens + one.completion_tokens for one in (canaries, plan)]
        assert ledger.used["tokens"] == sum(taken)
        assert ledger.used["usd"] == canaries.prompt_tokens + plan.prompt_tokens
        folder.collection.unlink()  # As if it had been killed before it was written.
        again = evenhand("resume", "runs/a")
    assert again.code == 4
    assert "limits.requests: 12 reached over the whole run (12 used)" in again.err


def test_answers_of_a_cache_are_no_requests(evenhand: Command, quick: Path) -> None:
    """A run that finds its answers in a cache ends as any other, and its ledger counts what it asked anew."""
    with stub_server() as url:
        write(quick, "{requests: 100}", PRICE)
        text = (quick / "spec.yaml").read_text()
        told = 'type: function, call: "quick:answer", deterministic: true'
        (quick / "spec.yaml").write_text(text.replace(told, f"type: openai, base_url: '{url}', model: m"))
        ledgers = []
        for name in ("runs/a", "runs/b"):
            ended = evenhand("run", "spec.yaml", "--out", name, "--cache", "cache")
            assert "Traceback" not in ended.err
            assert (quick / name / "findings.json").is_file()
            ledgers.append(read_ledger(RunFolder(quick / name)))
    asked = ledgers[0].requests
    assert asked > 0
    assert [one.requests for one in ledgers] == [asked, 0]
    assert [one.invocations[-1].stored for one in ledgers] == [asked, 0]


def test_a_price_of_the_spec_counts_as_money(evenhand: Command, quick: Path) -> None:
    """A limit in money holds with the user's own price, and what was paid is read from what is stored."""
    write(quick, "{usd: 30}", PRICE)  # A dollar a prompt token; "Lend to client 7?" counts 5.
    ended = evenhand("run", "spec.yaml", "--out", "runs/a")
    assert ended.code == 4
    assert "limits.usd: 30 reached (about 30 used)" in ended.err
    collection = json.loads((quick / "runs/a/collection.json").read_text())
    use = collection["use"]["target"]
    assert use["usd"] == use["prompt_tokens"] == 30
    assert (use["outputs"], use["estimated"]) == (6, 6)
    assert use["price_source"] == "the spec, as of 2026-11-01"
    assert use["kwh_low"] is None
    report = (quick / "runs/a/report.html").read_text()
    assert "Price of the target: the spec, as of 2026-11-01." in report
    assert re.search(r'<td class="n">6</td><td class="n">30</td>.*<td class="n">30', report)
    assert "Limits of the spec: usd 30" in report
    (quick / "runs/a/collection.json").unlink()  # As if it had been killed before it was written.
    again = evenhand("resume", "runs/a", "--more", "usd=10")
    assert "earlier invocations used 30" in again.err
    assert "answered 8" in again.err


def test_a_plan_tells_what_it_may_take(evenhand: Command, quick: Path) -> None:
    """Tokens and money are ranges that hold what is really used, and a limit that may bite is a warning."""
    write(quick, "{usd: 30}", PRICE)
    ended = evenhand("plan", "spec.yaml", "--json")
    assert ended.code == 0
    cost = json.loads(ended.out)["costs"][0]
    assert (cost["role"], cost["outputs"]) == ("target", 24)
    assert cost["usd_low"] == cost["prompt_tokens_low"] <= 24 * 5 <= cost["prompt_tokens_high"]
    assert (cost["reply_tokens_low"], cost["reply_tokens_high"]) == (24, 24 * 150)
    said = evenhand("plan", "spec.yaml").err
    assert "by the spec, as of 2026-11-01, retries not counted" in said
    assert "limits.usd: 30 may stop the run" in said
    write(quick, "{requests: 30}")
    said = evenhand("plan", "spec.yaml").err
    assert "price not known" in said
    assert "may stop" not in said


@pytest.mark.parametrize(
    "given", ["usd", "usd=", "usd=-1", "usd=nan", "usd=inf", "tokens=0.5", "eur=5", "=1"]
)
def test_a_bad_amount_is_one_clear_line(evenhand: Command, quick: Path, given: str) -> None:
    """A limit that does not exist, or an amount that is none, is refused before anything is opened."""
    assert quick.exists()
    ended = evenhand("resume", "runs/a", "--more", given)
    assert ended.code == 2
    assert f"--more {given}: accepted is one of usd, tokens, requests, minutes, kwh" in ended.err


def test_a_limit_that_the_spec_lacks_cannot_be_raised(evenhand: Command, quick: Path) -> None:
    """Raising what is not limited is a mistake, told with the limits there are."""
    write(quick, "{requests: 10}")
    evenhand("run", "spec.yaml", "--out", "runs/a")
    ended = evenhand("resume", "runs/a", "--more", "usd=5")
    assert ended.code == 2
    assert "--more usd: the spec has no limits.usd; it has: requests" in ended.err


@pytest.mark.parametrize(
    ("limits", "more", "words"),
    [
        ("{usd: 0}", "", "limits.usd: Input should be greater than 0"),
        ("{tokens: 1.5}", "", "limits.tokens: "),
        ("{kwh: .inf}", "", "limits.kwh: Input should be a finite number"),
        ("{usd: 5}", "", "spec.yaml: limits.usd: got 5.0, but no price is known for model"),
        ("{kwh: 5}", "", "spec.yaml: limits.kwh: got 5.0, but no energy is known for model"),
        ("{usd: 5}", ", price: {input_per_million: 1, output_per_million: 1}", "target.price.as_of"),
        ("{usd: 5}", PRICE.replace("0, as_of", "0, currency: EUR, as_of"), "target.price.currency"),
    ],
)
def test_bad_limits_and_prices_are_refused(
    evenhand: Command, quick: Path, limits: str, more: str, words: str
) -> None:
    """A limit that is none, or that cannot be held for want of a price, ends with 2 and names the key."""
    write(quick, limits, more)
    ended = evenhand("run", "spec.yaml", "--out", "runs/a")
    assert ended.code == 2
    assert words in ended.err


def test_a_damaged_ledger_is_told(evenhand: Command, quick: Path) -> None:
    """A file that cannot be read is no empty one: limits must not start anew."""
    write(quick, "{requests: 10}")
    evenhand("run", "spec.yaml", "--out", "runs/a")
    (quick / "runs/a/collection.json").write_text("{")
    ended = evenhand("resume", "runs/a")
    assert ended.code == 2
    assert "collection.json: is damaged" in ended.err


def test_a_limit_without_a_known_price_is_refused_before_anything_is_made(
    evenhand: Command, quick: Path
) -> None:
    """At the plan and at the run, and the folder stays free for the mended spec."""
    write(quick, "{usd: 30}")
    assert "no price is known" in evenhand("plan", "spec.yaml").err
    refused = evenhand("run", "spec.yaml", "--out", "runs/a")
    assert refused.code == 2
    assert "no price is known" in refused.err
    assert not (quick / "runs/a").exists()
    write(quick, "{usd: 30}", PRICE)
    assert evenhand("run", "spec.yaml", "--out", "runs/a").code == 4


def test_a_limit_that_was_raised_is_told_whole_and_enough_is_proposed(evenhand: Command, quick: Path) -> None:
    """The limit is that over the whole run, and the next command gets on though too much was used."""
    write(quick, "{tokens: 30}", PRICE)
    assert evenhand("run", "spec.yaml", "--out", "runs/a").code == 4
    again = evenhand("resume", "runs/a", "--more", "tokens=30")
    assert again.code == 4
    assert "limits.tokens: 60 reached" in again.err
    used = read_ledger(RunFolder(quick / "runs/a")).used["tokens"]
    proposed = re.search(r"--more tokens=(\d+)", again.err)
    assert proposed is not None
    assert int(proposed[1]) >= max(30, used - 60 + 1)
