"""How each rival is made to ask the stub, from an environment of its own.

`python -m benchmarks.auditors.setup_rivals --into FOLDER` makes those environments.
"""

import json
import os
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import yaml

from benchmarks.auditors.tools.inside import OFFLINE
from benchmarks.collection.planned import question
from benchmarks.collection.serving import ROOT, on_core

__all__ = ["RIVALS", "Rival"]

_SECONDS = 1_800
_GARAK_ATTEMPTS = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Rival:
    """One rival."""

    name: str
    program: str
    """Path in the folder of the rivals without which it is absent."""
    ask: Callable[[str, int, int, Path, Path], None]
    """From address, requests, calls in flight, working folder and the rivals' folder; asks, and returns."""
    demanded: float
    """How many times its rate Evenhand's must be."""
    note: str
    """How it is run."""


def _run(command: list[str], work: Path, home: Path, given: Mapping[str, object] | None = None) -> None:
    folders = {name: str(work / "home") for name in ("XDG_DATA_HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME")}
    environment = {
        **os.environ,
        **OFFLINE,
        **folders,
        "STUB_API_KEY": "none",
        "NLTK_DATA": str(home / "nltk_data"),
        "PROMPTFOO_CONFIG_DIR": str(work / "home"),
    }
    done = subprocess.run(
        command,
        input=None if given is None else json.dumps(given),
        capture_output=True,
        text=True,
        check=False,
        env=environment,
        cwd=work,
        timeout=_SECONDS,
        preexec_fn=on_core,
    )
    if done.returncode:
        raise RuntimeError(
            (done.stderr.strip() or done.stdout.strip() or "no message").splitlines()[-1][:300]
        )


def _inside(script: str, tool: str) -> Callable[[str, int, int, Path, Path], None]:
    def ask(base_url: str, requests: int, in_flight: int, work: Path, home: Path) -> None:
        given = {
            "base_url": base_url,
            "texts": [question(number) for number in range(requests)],
            "in_flight": in_flight,
            "logs": str(work / "logs"),
        }
        python = home / tool / "bin" / "python"
        _run([str(python), str(ROOT / "benchmarks" / "collection" / "inside" / script)], work, home, given)

    return ask


def _promptfoo(base_url: str, requests: int, in_flight: int, work: Path, home: Path) -> None:
    config = {
        "providers": [
            {
                "id": "openai:chat:stub",
                "config": {"apiBaseUrl": base_url, "apiKey": "none", "temperature": 0.7},
            }
        ],
        "prompts": ["{{prompt}}"],
        "tests": [{"vars": {"prompt": question(number)}} for number in range(requests)],
    }
    (work / "config.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
    command = [str(home / "promptfoo" / "node_modules" / ".bin" / "promptfoo"), "eval", "-c", "config.yaml"]
    command += ["--no-cache", "-j", str(in_flight), "-o", "out.json", "--no-table", "--no-progress-bar"]
    _run(command, work, home)


def _garak(base_url: str, requests: int, in_flight: int, work: Path, home: Path) -> None:
    del requests, in_flight  # Its probes bring their own prompts, and 64 attempts are the most it offers.
    suppressed = ["frequency_penalty", "presence_penalty", "stop", "seed"]
    options = {"uri": f"{base_url}/", "name": "stub", "suppressed_params": suppressed}
    file = work / "options.json"
    file.write_text(json.dumps({"openai": {"OpenAICompatible": options}}), encoding="utf-8")
    command = [str(home / "garak" / "bin" / "garak"), "--target_type", "openai.OpenAICompatible"]
    command += ["--target_name", "stub", "--generator_option_file", str(file), "--generations", "1"]
    command += ["--probes", "encoding.InjectBase64", "--parallel_attempts", str(_GARAK_ATTEMPTS)]
    _run([*command, "--report_prefix", str(work / "garak")], work, home)


RIVALS: Mapping[str, Rival] = MappingProxyType(
    {
        rival.name: rival
        for rival in (
            Rival(
                name="langfair",
                program="langfair/bin/python",
                ask=_inside("langfair_asks.py", "langfair"),
                demanded=3.0,
                note="`ResponseGenerator`, its client kept to the same connections",
            ),
            Rival(
                name="promptfoo",
                program="promptfoo/node_modules/.bin/promptfoo",
                ask=_promptfoo,
                demanded=4.0,
                note="`eval -j`, no cache, one output file",
            ),
            Rival(
                name="inspect",
                program="inspect/bin/python",
                ask=_inside("inspect_asks.py", "inspect"),
                demanded=10.0,
                note="`eval`, `max_connections`, its logs as by default",
            ),
            Rival(
                name="garak",
                program="garak/bin/garak",
                ask=_garak,
                demanded=10.0,
                note=f"`encoding.InjectBase64`, `--parallel_attempts {_GARAK_ATTEMPTS}`",
            ),
        )
    }
)
"""By name."""
