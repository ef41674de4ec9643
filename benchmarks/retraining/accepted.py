"""Do those who read the files take them? Every format goes through its own reader's code.

Run `python -m benchmarks.retraining.accepted` where the readers are installed, from the project's root, with
no network; what is not installed is said. Beside each file a broken copy is read, its last row without its
first key, which a reader should refuse. The readers are no part of the project; in a virtual environment of
their own, beside this one's packages:

    pip install --no-deps llamafactory==0.9.5 axolotl==0.19.0 together==3.1.1 distro colorama \
        addict detect_agent omegaconf antlr4-python3-runtime==4.9.3

LLaMA-Factory imports torchaudio for recordings; where that does not load, an empty module of the name will
do, as nothing here is one.
"""

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Callable
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import yaml

sys.path.insert(0, str(Path(__file__).parents[2]))
from audit.retraining.records import Format, RetrainingFile, RetrainingFiles, RetrainingOptions
from audit.retraining.writing import write_retraining_files
from benchmarks.repair.run import CONTRASTS, finding

__all__ = ["READERS", "attempt"]

Reader = Callable[[Path, RetrainingFile], int]
"""Reads a file of a folder and gives how many rows it took."""


def main() -> None:
    """Writes every format, has each read, and prints a table."""
    argparse.ArgumentParser(description=__doc__.splitlines()[0]).parse_args()
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    os.environ.setdefault(
        "DISABLE_VERSION_CHECK", "1"
    )  # LLaMA-Factory's, of packages that are not asked here
    print("| file | reader | rows | taken | broken copy |")
    print("| --- | --- | --- | --- | --- |")
    with tempfile.TemporaryDirectory() as folder:
        files = _files(Path(folder))
        for file in files.manifest.files:
            if file.format not in READERS:
                continue
            package, reader = READERS[file.format]
            if find_spec(package) is None:
                print(f"| {file.path} | {package}: not installed | {file.rows} | | |")
                continue
            taken = attempt(reader, files.folder, file)
            broken = _broken(reader, files.folder, file)
            print(
                f"| {file.path} | {package} {_version(package)} | {file.rows} | {taken} | {broken} |",
                flush=True,
            )


def _files(folder: Path) -> RetrainingFiles:
    found = [finding(*contrast, -0.1) for contrast in CONTRASTS]
    return write_retraining_files(found, [], folder, RetrainingOptions(formats=tuple(Format)))


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "of unknown version"


def attempt(reader: Reader, folder: Path, file: RetrainingFile) -> str:
    """How many rows a reader takes, or how it refuses them."""
    try:
        return str(reader(folder, file))
    except Exception as error:  # noqa: BLE001 - whatever a reader raises is its refusal
        return f"refused: {type(error).__name__}: {' '.join(str(error).split())[:80]}".replace("|", "/")


def _broken(reader: Reader, folder: Path, file: RetrainingFile) -> str:
    path = folder / file.path
    kept = path.read_bytes()
    lines = kept.decode().splitlines()
    row = json.loads(lines[-1])
    del row[next(iter(row))]
    path.write_text("\n".join([*lines[:-1], json.dumps(row)]) + "\n", encoding="utf-8")
    try:
        said = attempt(reader, folder, file)
    finally:
        path.write_bytes(kept)
    return said if said.startswith("refused") else f"let through: {said} rows"


def _tokenizer() -> Any:
    from audit.demo.small_model.tokens import make_tokenizer  # noqa: PLC0415 - an extra

    return make_tokenizer(["Yes. No. Should the bank lend?"], 300)


def _rows(folder: Path, file: RetrainingFile) -> list[dict[str, Any]]:
    """Rows as `datasets` reads them, with a cache of their own, in which no earlier copy is."""
    with tempfile.TemporaryDirectory() as cache:
        loaded = import_module("datasets").load_dataset(
            "json", data_files=str(folder / file.path), split="train", cache_dir=cache
        )
        return list(loaded)


def _trl(folder: Path, file: RetrainingFile) -> int:
    """TRL's own preparation of rows, as its trainers do it."""
    prepared, tokenizer = import_module("trl").maybe_apply_chat_template, _tokenizer()
    return sum(1 for row in _rows(folder, file) if prepared(row, tokenizer))


def _hugging_face(folder: Path, file: RetrainingFile) -> int:
    with tempfile.TemporaryDirectory() as cache:
        loaded = import_module("datasets").load_dataset(
            str(folder / "hf"), str(file.shape), split=str(file.split), cache_dir=cache
        )
        return int(loaded.num_rows)


def _together(folder: Path, file: RetrainingFile) -> int:

    report = import_module("together.lib.utils.files").check_file(folder / file.path)
    if not report["is_check_passed"]:
        raise ValueError(report["message"])
    return int(report["num_samples"])


def _llama_factory(folder: Path, file: RetrainingFile) -> int:
    """Its loader, its conversion and its tokenisation, by the entry in `dataset_info.json`."""
    reading, arguments = import_module("llamafactory.data"), import_module("llamafactory.hparams")

    tokenizer = _tokenizer()
    data = arguments.DataArguments(
        template="default",
        dataset=f"evenhand_{file.shape}_{file.split}",
        dataset_dir=str(folder),
        overwrite_cache=True,
    )
    with tempfile.TemporaryDirectory() as out:
        training = import_module("transformers").Seq2SeqTrainingArguments(
            output_dir=out, do_train=True, report_to=[]
        )
        module = reading.get_dataset(
            reading.get_template_and_fix_tokenizer(tokenizer, data),
            arguments.ModelArguments(model_name_or_path="none", cache_dir=out),
            data,
            training,
            stage={"sft": "sft", "dpo": "rm", "kto": "kto"}[str(file.shape)],
            tokenizer=tokenizer,
        )
    return len(module["train_dataset"])


def _axolotl(folder: Path, file: RetrainingFile) -> int:
    """Its prompt strategies, as the shipped configuration names them."""
    mapping = import_module("axolotl.utils.dict").DictDefault

    shape = str(file.shape)
    config = yaml.safe_load((folder / f"axolotl-{shape}.yaml").read_text(encoding="utf-8"))
    entry = next(
        one
        for key in ("datasets", "test_datasets")
        for one in config.get(key, [])
        if one["path"] == file.path
    )
    cfg = mapping({**config, "datasets": [entry], "sequence_len": 4096, "train_on_inputs": False})
    rows, tokenizer = _rows(folder, file), _tokenizer()
    if shape == "sft":
        load = import_module("axolotl.prompt_strategies.chat_template").load

        strategy = load(tokenizer, cfg, ds_cfg=mapping(entry))
        return sum(1 for row in rows if strategy.tokenize_prompt(row)["input_ids"])

    loaded = import_module("axolotl.prompt_strategies.dpo").load(entry["type"], cfg, dataset_idx=0)
    transform = loaded[0] if isinstance(loaded, tuple) else loaded
    return sum(1 for row in rows if transform(row, tokenizer=tokenizer))


READERS: dict[Format, tuple[str, Reader]] = {
    Format.TRL_DPO: ("trl", _trl),
    Format.TRL_SFT: ("trl", _trl),
    Format.TRL_KTO: ("trl", _trl),
    Format.HF: ("datasets", _hugging_face),
    Format.TOGETHER: ("together", _together),
    Format.LLAMA_FACTORY: ("llamafactory", _llama_factory),
    Format.AXOLOTL: ("axolotl", _axolotl),
}
"""Package and reader of each format; OpenAI's service has none that could be had."""

if __name__ == "__main__":
    main()
