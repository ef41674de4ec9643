"""How a local model learns: rows of retraining files to TRL's trainers, one method after the other."""

import os
import shutil
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from transformers import AutoModelForCausalLM, AutoTokenizer, PrinterCallback, TrainerCallback, set_seed
from transformers.utils import logging as hf_logging
from trl import DPOConfig, DPOTrainer, KTOConfig, KTOTrainer, SFTConfig, SFTTrainer

from audit.errors import InputError
from audit.retraining.layouts.rows import Row, plain
from audit.retraining.layouts.table import Layout, layout
from audit.retraining.reading import counterfactual_sets, valid_rows
from audit.retraining.records import Format, Shape
from audit.retraining.trainers.transformers_options import Method, Ordinary, TransformersTrainerOptions
from audit.retraining.trainers.transformers_pairing import ALONE, SET, SetTrainer
from audit.targets.local_model.options import TransformersOptions
from datasets import Dataset, disable_progress_bars  # type: ignore[attr-defined] # hidden by our folder
from probes.seeds import derive, rng

__all__ = ["Learned", "Material", "Phase", "learn"]

_PACKAGES = ("torch", "transformers", "trl", "peft", "datasets")


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """The file that a method learns from."""

    path: Path
    layout: Layout
    sidecar: Path
    """Where its rows came from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Phase:
    """What one method did."""

    method: Method
    rows: int
    ordinary_rows: int
    steps: int
    tokens: int
    """Of the rows, each counted once."""
    losses: tuple[float, ...]
    """Mean training loss in nats of equal stretches of steps, ten at most, in order."""

    def said(self) -> dict[str, object]:
        """For `training.json`."""
        return {
            "method": self.method,
            "rows": self.rows,
            "ordinary_rows": self.ordinary_rows,
            "steps": self.steps,
            "tokens": self.tokens,
            "losses": list(self.losses),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Learned:
    """What was done, method by method."""

    phases: tuple[Phase, ...]
    device: str
    versions: dict[str, str]


def learn(
    target: TransformersOptions,
    options: TransformersTrainerOptions,
    read: Mapping[Method, Material],
    root: Path,
    out: Path,
    seed: int,
) -> Learned:
    """Trains a model and saves it, as safetensors, with its tokenizer.

    Args:
        target: The model to start from.
        options: Of the trainer.
        read: The file of each method.
        root: Folder that the model's path is relative to.
        out: Folder to save in; it exists.
        seed: Root seed.

    Raises:
        InputError: The model does not load or has no chat template, or a row is too long.
    """
    os.environ.setdefault("HF_HUB_OFFLINE", "0" if target.download else "1")
    hf_logging.set_verbosity_error()  # type: ignore[no-untyped-call] # as the library has it
    hf_logging.disable_progress_bar()  # type: ignore[no-untyped-call] # as above
    disable_progress_bars()
    device = _device(options)
    set_seed(derive(seed, "trainer") % 2**32)
    with warnings.catch_warnings():
        # What these libraries say to each other of their next versions is nothing a user can act on.
        warnings.simplefilter("ignore")
        model, tokenizer = _loaded(target, root, device)
        model = _with_adapter(model, target, options, root)
        phases = []
        for method in options.methods:
            rows = list(valid_rows(read[method].path, read[method].layout))
            others = _ordinary(options.ordinary, root, len(rows), seed) if method == "sft" else []
            pairing = options.pairing if method == "sft" else 0.0
            room = _Room(
                options=options,
                scratch=str(out / "scratch"),
                seed=seed,
                sets=_set_numbers(read[method].sidecar, len(others)) if pairing else (),
            )
            phases.append(_phase(method, (model, tokenizer), (rows, others), room))
        model.save_pretrained(out, safe_serialization=True)
        tokenizer.save_pretrained(out)
    shutil.rmtree(out / "scratch", ignore_errors=True)
    return Learned(
        phases=tuple(phases),
        device=torch.cuda.get_device_name() if device == "cuda" else "cpu",
        versions={name: version(name) for name in _PACKAGES},
    )


def _device(options: TransformersTrainerOptions) -> str:
    if options.device == "cuda" and not torch.cuda.is_available():
        raise InputError(
            "--train: device is cuda; this machine has no GPU that torch can use; accepted: auto, cpu"
        )
    return "cuda" if options.device != "cpu" and torch.cuda.is_available() else "cpu"


def _loaded(target: TransformersOptions, root: Path, device: str) -> tuple[Any, Any]:
    folder = root / target.model
    source = str(folder) if folder.exists() else target.model
    where: dict[str, Any] = {"local_files_only": not target.download, "trust_remote_code": False}
    if target.revision is not None:
        where["revision"] = target.revision
    # Weights in half precision lose small steps; an adapter is small, and its base may stay as it is.
    dtype = torch.float32 if device == "cpu" or target.dtype == "auto" else getattr(torch, target.dtype)
    try:
        tokenizer: Any = AutoTokenizer.from_pretrained(source, **where)
        model: Any = AutoModelForCausalLM.from_pretrained(source, dtype=dtype, use_safetensors=True, **where)
    except (OSError, ValueError, ImportError, KeyError) as error:
        raise InputError(f"{source}: does not load: {' '.join(str(error).split())[:300]}") from error
    if tokenizer.chat_template is None:
        raise InputError(f"{source}: has no chat template, so it cannot be told where an answer begins")
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    return model.to(device), tokenizer


def _with_adapter(
    model: Any, target: TransformersOptions, options: TransformersTrainerOptions, root: Path
) -> Any:
    if target.adapter is not None and not (root / target.adapter / "adapter_config.json").is_file():
        raise InputError(f"{root / target.adapter}: no folder of an adapter, it has no adapter_config.json")
    if target.adapter is not None:
        # Only the same adapter, trained on, fits the base it belongs to.
        return PeftModel.from_pretrained(model, str(root / target.adapter), is_trainable=True)
    if options.adapter == "none":
        return model
    wanted = options.target_modules
    config = LoraConfig(
        task_type="CAUSAL_LM",
        r=options.rank,
        lora_alpha=2 * options.rank,
        lora_dropout=0.0,
        target_modules=wanted if isinstance(wanted, str) else list(wanted),
    )
    try:
        return get_peft_model(model, config)
    except ValueError as error:
        raise InputError(f"target_modules: {' '.join(str(error).split())[:300]}") from error


@dataclass(frozen=True, slots=True, kw_only=True)
class _Room:
    options: TransformersTrainerOptions
    scratch: str
    """Folder for what the library leaves."""
    seed: int
    sets: Sequence[int]
    """Number of the counterfactual set of each row; empty where rows are learned one by one."""


def _phase(
    method: Method, learner: tuple[Any, Any], both: tuple[Sequence[Row], Sequence[Row]], room: _Room
) -> Phase:
    """One method: `learner` is model and tokenizer, `both` the rows of the repair and the ordinary ones."""
    model, tokenizer = learner
    rows = [*both[0], *both[1]]
    longest = room.options.max_length
    tokens = [_length(tokenizer, row, longest, place) for place, row in enumerate(rows, start=1)]
    dataset = Dataset.from_list([_fields(method, row) for row in rows])
    if room.sets:
        dataset = dataset.add_column(SET, list(room.sets))
    losses = _Losses()
    given = {
        "model": model,
        "args": _arguments(method, room),
        "train_dataset": dataset.shuffle(seed=derive(room.seed, "order", method) % 2**32),
        "processing_class": tokenizer,
        "callbacks": [losses],
    }
    if room.sets:
        trainer: Any = SetTrainer(pairing=room.options.pairing, order_seed=room.seed, **given)
    else:
        trainer = {"sft": SFTTrainer, "dpo": DPOTrainer, "kto": KTOTrainer}[method](**given)
    trainer.remove_callback(PrinterCallback)
    trainer.train()
    return Phase(
        method=method,
        rows=len(both[0]),
        ordinary_rows=len(both[1]),
        steps=int(trainer.state.global_step),
        tokens=sum(tokens),
        losses=losses.stretches(),
    )


def _set_numbers(sidecar: Path, others: int) -> list[int]:
    """The set of each row by number; ordinary rows, which come last, are of none."""
    names = counterfactual_sets(sidecar)
    numbers = {name: place for place, name in enumerate(dict.fromkeys(name for name in names if name))}
    return [ALONE if name is None else numbers[name] for name in names] + [ALONE] * others


class _Losses(TrainerCallback):
    """Keeps the loss of every step."""

    def __init__(self) -> None:
        self.all: list[float] = []

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **kwargs: Any) -> None:  # noqa: ARG002 - the library's signature
        if logs and "loss" in logs:
            self.all.append(float(logs["loss"]))

    def stretches(self) -> tuple[float, ...]:
        size = max(1, -(-len(self.all) // 10))
        parts = [self.all[start : start + size] for start in range(0, len(self.all), size)]
        return tuple(round(sum(part) / len(part), 5) for part in parts)


def _arguments(method: Method, room: _Room) -> Any:
    options = room.options
    common: dict[str, Any] = {
        "output_dir": room.scratch,
        "per_device_train_batch_size": options.batch_size,
        "gradient_accumulation_steps": options.accumulate,
        "learning_rate": options.rate(method),
        "num_train_epochs": options.epochs,
        "max_steps": options.max_steps or -1,
        "lr_scheduler_type": "cosine",
        "warmup_steps": 0.05,
        "logging_steps": 1,
        "save_strategy": "no",
        "report_to": "none",
        "disable_tqdm": True,
        "seed": derive(room.seed, "trainer", method) % 2**32,
        "use_cpu": _device(options) == "cpu",
        "bf16": False,
        "fp16": False,
        "max_length": options.max_length,
        "gradient_checkpointing": False,
    }
    if method == "sft":
        return SFTConfig(**common, completion_only_loss=True)
    if method == "dpo":
        both = options.sft_weight > 0
        return DPOConfig(
            **common,
            beta=options.beta,
            loss_type=["sigmoid", "sft"] if both else ["sigmoid"],
            loss_weights=[1.0, options.sft_weight] if both else None,
        )
    return KTOConfig(**common, beta=options.beta)


def _fields(method: Method, row: Row) -> dict[str, object]:
    prompt = [plain(message) for message in row.prompt]
    if method == "dpo":
        assert row.rejected is not None  # noqa: S101 - the layout's reading has checked it
        return {"prompt": prompt, "chosen": [plain(row.answer)], "rejected": [plain(row.rejected)]}
    fields: dict[str, object] = {"prompt": prompt, "completion": [plain(row.answer)]}
    return fields if method == "sft" else {**fields, "label": row.desirable}


def _length(tokenizer: Any, row: Row, longest: int, place: int) -> int:
    """Tokens of a row; cut rows would teach half answers, so none is cut."""
    total = 0
    prompt = [plain(message) for message in row.prompt]
    for answer in (row.answer, row.rejected):
        if answer is not None:
            text = tokenizer.apply_chat_template([*prompt, plain(answer)], tokenize=False)
            found = len(tokenizer(text, add_special_tokens=False)["input_ids"])
            if found > longest:
                raise InputError(f"row {place}: has {found} tokens; max_length accepts up to {longest}")
            total += found
    return total


def _ordinary(ordinary: Ordinary | None, root: Path, repairs: int, seed: int) -> list[Row]:
    if ordinary is None:
        return []
    known = list(valid_rows(root / ordinary.path, layout(Format.TRL_SFT, Shape.SFT)))
    wanted = round(repairs * ordinary.share / (1 - ordinary.share))
    source = rng(seed, "trainer", "ordinary")
    if wanted <= len(known):
        return [known[int(place)] for place in source.permutation(len(known))[:wanted]]
    return [known[int(place)] for place in source.integers(len(known), size=wanted)]
