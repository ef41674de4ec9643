"""Running a script in a rival's own environment, with nothing but loopback to talk to."""

import json
import os
import subprocess
from dataclasses import asdict
from pathlib import Path

from benchmarks.auditors.scenarios import asked

__all__ = ["OFFLINE", "given", "installed", "run_inside"]

OFFLINE = {
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "LANGCHAIN_TRACING_V2": "false",
    "OPENAI_API_KEY": "none",
    "OPENAICOMPATIBLE_API_KEY": "none",
    "SEALED_API_KEY": "none",
    "PROMPTFOO_DISABLE_TELEMETRY": "1",
    "PROMPTFOO_DISABLE_REMOTE_GENERATION": "1",
    "PROMPTFOO_DISABLE_UPDATE": "1",
    # Whatever would leave loopback fails at once instead of leaving.
    "http_proxy": "http://127.0.0.1:9",
    "https_proxy": "http://127.0.0.1:9",
    "no_proxy": "127.0.0.1,localhost",
    "NO_PROXY": "127.0.0.1,localhost",
}
"""Environment of every rival: no telemetry, no download, no remote generation."""

_SECONDS = 3_600


def given(base_url: str, **more: object) -> dict[str, object]:
    """What the scripts inside read: where to ask, and the benchmark's scenarios."""
    return {"base_url": base_url, "asked": [asdict(one) for one in asked()], **more}


def run_inside(python: Path, script: Path, told: dict[str, object], work: Path, home: Path) -> object:
    """Run a script and give the JSON document it wrote.

    Args:
        python: Interpreter of the rival's environment.
        script: The script.
        told: Its input.
        work: Working folder.
        home: Folder of the rivals, where NLTK's data lies.

    Raises:
        RuntimeError: The script failed; the message is its last line.
    """
    environment = {**os.environ, **OFFLINE, "NLTK_DATA": str(home / "nltk_data")}
    done = subprocess.run(
        [str(python), str(script)],
        input=json.dumps(told),
        capture_output=True,
        text=True,
        check=False,
        env=environment,
        cwd=work,
        timeout=_SECONDS,
    )
    if done.returncode:
        raise RuntimeError(done.stderr.strip().splitlines()[-1][:300])
    return json.loads(done.stdout)


def installed(python: Path, distribution: str) -> str:
    """Version of a distribution in a rival's environment."""
    line = f"import importlib.metadata as m; print(m.version({distribution!r}))"
    done = subprocess.run([str(python), "-c", line], capture_output=True, text=True, check=True)
    return done.stdout.strip()
