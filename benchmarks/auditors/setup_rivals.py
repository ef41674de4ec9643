"""Makes throw-away environments of the rivals, outside the repository.

    python -m benchmarks.auditors.setup_rivals --into FOLDER [--only langfair …] [--python python3.12]

Needs Python 3.12, Node and npm, and a package index; several gigabytes, since LangFair and garak bring torch.
Nothing is downloaded but packages.
"""

import argparse
import subprocess
from pathlib import Path
from types import MappingProxyType

__all__ = ["main"]

_PACKAGES = MappingProxyType(
    {
        # LangFair needs numpy < 2, and its dependency datasets a pyarrow that still loads beside it.
        "langfair": ("langfair==0.8.0", "langchain-openai==1.7.4", "pyarrow==21.0.0"),
        "inspect": ("inspect-ai==0.3.285", "openai"),
        "garak": ("garak==0.17.1",),
    }
)
_PROMPTFOO = "promptfoo@0.121.20"
_PUNKT = ("collocations.tab", "sent_starters.txt", "abbrev_types.txt", "ortho_context.tab")


def main() -> None:
    """Make the environments that are asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    names = sorted([*_PACKAGES, "promptfoo"])
    parser.add_argument("--into", type=Path, required=True)
    parser.add_argument("--only", nargs="+", choices=names, default=names)
    parser.add_argument("--python", default="python3.12")
    chosen = parser.parse_args()
    chosen.into.mkdir(parents=True, exist_ok=True)
    for name in chosen.only:
        print(f"== {name}")
        if name == "promptfoo":
            _promptfoo(chosen.into / name)
        else:
            _environment(chosen.into, chosen.python, name)
    _punkt(chosen.into)


def _environment(into: Path, python: str, name: str) -> None:
    tools = into / "uv"
    if not tools.is_dir():
        # pip resolves garak for more than ten minutes; uv does in seconds.
        subprocess.run([python, "-m", "venv", str(tools)], check=True)
        subprocess.run([str(tools / "bin" / "pip"), "install", "-q", "uv"], check=True)
    subprocess.run([python, "-m", "venv", str(into / name)], check=True)
    interpreter = str(into / name / "bin" / "python")
    command = [str(tools / "bin" / "uv"), "pip", "install", "--python", interpreter, *_PACKAGES[name]]
    # A tool is started once a server; where bytecode may not be written then, it would compile each time.
    subprocess.run([*command, "--compile-bytecode"], check=True)


def _promptfoo(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "package.json").write_text('{"private": true}\n', encoding="utf-8")
    subprocess.run(["npm", "install", "--no-audit", "--no-fund", _PROMPTFOO], check=True, cwd=folder)


def _punkt(into: Path) -> None:
    """LangFair splits words with NLTK, which wants a file that is had by a download at run time.

    Without exceptions for abbreviations, which these files are, sentences end at every full stop: for the
    words, which are all that LangFair wants, it comes to the same.
    """
    folder = into / "nltk_data" / "tokenizers" / "punkt_tab" / "english"
    folder.mkdir(parents=True, exist_ok=True)
    for name in _PUNKT:
        (folder / name).touch()


if __name__ == "__main__":
    main()
