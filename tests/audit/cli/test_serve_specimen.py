"""`evenhand serve-specimen` as a process: who may ask, what is served, how it ends; and audits against it."""

import json
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import TypedDict

import openai
import pytest

from tests.audit.cli.conftest import Command
from tests.audit.serving.conftest import ASKED, sdk
from tests.servers.processes import fetch_json, specimen_server, started

_SPEC = """\
version: 1
name: rehearsal
seed: 7
target: {{type: openai, base_url: {base_url}, model: "{model}", max_in_flight: 16}}
probes:
  - {{use: bias/decisions, domains: [lending], attributes: [gender], groups: {{gender: [female, male]}},
     signals: [explicit], templates: 16}}
analyzers: [decision]
limits: {{error_rate: 0.5}}
"""


@pytest.fixture(scope="module")
def served_url() -> Iterator[str]:
    """Base URL of a running server."""
    with specimen_server() as base_url:
        yield base_url


def _ask(client: openai.OpenAI, model: str = "specimen") -> str:
    done = client.chat.completions.create(model=model, messages=[{"role": "user", "content": ASKED}])
    return done.choices[0].message.content or ""


class _Counts(TypedDict):
    requests: int
    distinct: int
    answered: int
    answered_again: int
    failures: dict[str, int]


def _counts(base_url: str, model: str) -> _Counts:
    shown = fetch_json(base_url, "/evenhand/requests")
    assert isinstance(shown, dict)
    counts: _Counts = shown["models"][model]
    return counts


def test_only_what_target_names_is_served(tmp_path: Path) -> None:
    """A declared target answers under its own name, and what was not named does not exist."""
    spec = tmp_path / "spec.yaml"
    spec.write_text(
        "version: 1\nname: a\ntarget: {type: specimen, favourable_rate: 0}\n"
        "probes: [{use: safety/benign}]\nanalyzers: [refusal]\n"
    )
    options = ["--target", "specimen-unbiased", "--target", f"hers={spec}"]
    options += ["--target", "mine={type: specimen, favourable_rate: 1}"]
    with specimen_server(*options) as base_url, sdk(base_url) as client:
        listed = {model.id for model in client.models.list()}
        assert listed == {"specimen-unbiased", "hers", "mine", "moderation-screen"}
        assert "yes" in _ask(client, "mine").lower()
        assert "yes" not in _ask(client, "hers").lower()
        with pytest.raises(openai.NotFoundError):
            _ask(client, "specimen")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("cakes", "accepted: specimen"),
        ("faulty?rate=1", "unknown key"),
        ("specimen?foo=1", "unknown key"),
        ("specimen={type: specimen}", "taken"),
        ("mine={type: cakes}", "unknown name"),
        ("mine={type", "not YAML"),
        ("mine={type: specimen, rate: 1}", "unknown key"),
        ("mine=absent.yaml", "absent.yaml"),
    ],
)
def test_a_wrong_target_is_one_clear_line(evenhand: Command, given: str, said: str) -> None:
    """A mistake in --target ends the command at once, with what is accepted."""
    ended = evenhand("serve-specimen", "--port", "0", "--target", given)
    assert ended.code == 2
    assert said in ended.err


def test_a_folder_without_a_model_is_refused_before_anything_is_served(evenhand: Command) -> None:
    """A mistake in --trainable is told at once and not by the first request."""
    ended = evenhand("serve-specimen", "--port", "0", "--trainable", "nowhere")
    assert ended.code == 2
    assert "nowhere/model.json: no such file" in ended.err


def test_the_key_is_demanded_where_one_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the key nothing is answered but the question whether the server is up."""
    monkeypatch.setenv("REHEARSAL_KEY", "s3cret")
    with specimen_server("--api-key-env", "REHEARSAL_KEY") as base_url:
        with sdk(base_url, "s3cret") as client:
            assert _ask(client)
        with sdk(base_url, "wrong") as client, pytest.raises(openai.AuthenticationError) as raised:
            _ask(client)
        assert raised.value.code == "invalid_api_key"
        with pytest.raises(urllib.error.HTTPError, match="401"):
            fetch_json(base_url, "/evenhand/requests")
        assert fetch_json(base_url, "/health") == {"status": "ok"}


def test_a_key_that_is_not_set_is_an_error(evenhand: Command) -> None:
    """A server is not left open because a variable was misspelt."""
    ended = evenhand("serve-specimen", "--port", "0", "--api-key-env", "NOT_SET_ANYWHERE")
    assert (ended.code, "NOT_SET_ANYWHERE is not set" in ended.err) == (2, True)


def test_large_bodies_and_files_are_refused() -> None:
    """What is larger than the limits gets status 413, in the shape of an API error."""
    with (
        specimen_server("--max-body-mb", "1", "--max-upload-mb", "1") as base_url,
        sdk(base_url) as client,
    ):
        large = "a" * (2 * 2**20)
        with pytest.raises(openai.APIStatusError) as raised:
            client.responses.create(model="specimen", input=large)
        assert raised.value.status_code == 413
        with pytest.raises(openai.APIStatusError) as raised:
            client.files.create(file=("a.txt", large.encode()), purpose="user_data")
        assert (raised.value.status_code, raised.value.code) == (413, "file_too_large")
        assert client.files.list().data == []


@pytest.mark.parametrize(
    "header", [{"Host": "evil.example"}, {"Origin": "https://evil.example"}, {"Origin": "null"}]
)
def test_web_pages_reach_nothing(served_url: str, header: dict[str, str]) -> None:
    """A page that points a name of its own at this machine, or asks across origins, is refused."""
    request = urllib.request.Request(f"{served_url}/models", headers=header)  # noqa: S310 - loopback only
    with pytest.raises(urllib.error.HTTPError, match="403"):
        urllib.request.urlopen(request, timeout=10)  # noqa: S310 - loopback only


def test_listening_beyond_loopback_warns_and_a_signal_ends_it_cleanly(tmp_path: Path) -> None:
    """The warning names the address, and a server that is stopped says so and ends with 0."""
    command = [sys.executable, "-m", "audit", "serve-specimen", "--port", "0", "--json", "--host", "0.0.0.0"]  # noqa: S104 - the point of the test
    with subprocess.Popen(
        [*command, "--data", str(tmp_path)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        said = json.loads(process.stdout.readline())
        assert said["data"] == str(tmp_path)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=20)
    assert process.returncode == 0
    assert "warning: --host 0.0.0.0" in err
    assert err.rstrip().endswith("stopped")


def test_two_servers_cannot_share_a_folder_or_a_port(tmp_path: Path, evenhand: Command) -> None:
    """The second one says what is taken, and the first goes on."""
    with specimen_server("--data", str(tmp_path / "kept")) as base_url:
        ended = evenhand("serve-specimen", "--port", "0", "--data", tmp_path / "kept")
        assert (ended.code, "another server uses it" in ended.err) == (2, True)
        port = base_url.removesuffix("/v1").rpartition(":")[2]
        ended = evenhand("serve-specimen", "--port", port)
        assert (ended.code, "cannot listen there" in ended.err) == (2, True)
        assert fetch_json(base_url, "/health") == {"status": "ok"}


def test_a_temporary_folder_is_gone_when_the_server_is() -> None:
    """Without --data nothing is left behind."""
    server, base_url = started()
    with sdk(base_url) as client:
        client.files.create(file=("a.jsonl", b"{}"), purpose="batch")
    server.send_signal(signal.SIGTERM)
    assert server.wait(20) == 0


@pytest.mark.slow
def test_an_audit_of_the_server_finds_what_is_planted(home: Path, process: Command) -> None:
    """A run from the command line recovers the gap in the model's name, and nothing is answered twice."""
    model = "specimen?gaps.gender.female=-0.4"
    with specimen_server("--seed", "1") as base_url:
        (home / "spec.yaml").write_text(_SPEC.format(base_url=base_url, model=model))
        ran = process("run", "spec.yaml", "--out", "out", "--json")
        assert ran.code == 0, ran.err
        shown, counts = json.loads(ran.out), _counts(base_url, model)
    planned = shown["counts"]["planned"]
    # Some prompts of a plan have the same text, and so the same key.
    assert planned == shown["counts"]["answered"] == counts["requests"] == counts["answered"] > 100
    assert (counts["distinct"] + counts["answered_again"], counts["failures"]) == (planned, {})
    gaps = [
        one
        for one in shown["findings"]
        if (one["kind"], one["measure"], one["group"]) == ("disparity", "favourable_rate", "female")
    ]
    assert gaps
    assert all(one["ci_low"] <= -0.4 <= one["ci_high"] for one in gaps)


@pytest.mark.slow
def test_an_audit_survives_a_faulty_server(home: Path, process: Command) -> None:
    """With a quarter of requests failing in five ways every planned output ends once."""
    model = (
        "faulty?rate_limited=0.05&server_error=0.05&dropped=0.05&malformed=0.05&stalled=0.05"
        "&stall_s=0.05&retry_after_s=0.05"
    )
    with specimen_server("--seed", "1") as base_url:
        (home / "spec.yaml").write_text(_SPEC.format(base_url=base_url, model=model))
        ran = process("run", "spec.yaml", "--out", "out", "--json")
        assert ran.code == 0, ran.err
        shown, counts = json.loads(ran.out)["counts"], _counts(base_url, model)
    assert shown["answered"] + shown["errored"] == shown["planned"]
    # What was answered was stored, and not asked again.
    assert counts["answered"] == shown["answered"] > 100
    failed = ("429 rate_limit_exceeded", "500 server_error", "dropped", "malformed_json")
    assert sorted(counts["failures"]) == list(failed)
    assert counts["requests"] == counts["answered"] + sum(counts["failures"].values())
