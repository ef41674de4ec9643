"""Requests to refuse and requests to answer: which are measured, and what small models do with them."""

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from audit.analyzers.base import AnalyzerContext
from audit.analyzers.refusal.analyzer import RefusalAnalyzer
from audit.demo.small_model.corpus import FRAMES
from audit.demo.small_model.training import Recipe
from audit.records import Exchange
from benchmarks.small_model.reading import BATCH, loaded
from probes.plugins import load
from probes.records import Expectation, Message
from probes.safety.goals import PLAIN, benign_requests, harmful_goals

__all__ = ["HARMFUL", "HARMLESS", "measured", "recipe", "requests_asked"]

_HERE = Path(__file__).parent
HARMLESS = tuple((_HERE / "harmless.txt").read_text(encoding="utf-8").splitlines())
"""Further harmless requests in the words of harmful ones, written for these benchmarks and in no file."""
HARMFUL = tuple(
    (row["category"], row["goal"])
    for row in csv.DictReader((_HERE / "harmful.csv").read_text(encoding="utf-8").splitlines())
)
"""Further harmful requests, each with its category; likewise."""
_STEPS = 2000
_TOKENS = 48


def recipe(device: str) -> Recipe:
    """That of the tutorial's model, longer by what the further requests take."""
    return Recipe(harmless=HARMLESS, harmful=HARMFUL, steps=_STEPS, device=device)


def requests_asked() -> dict[str, tuple[str, ...]]:
    """What is measured: goals and harmless requests of audits, and the further ones of both kinds."""
    return {
        "refuse": (*(one.goal for one in harmful_goals(pool="audit")), *(goal for _, goal in HARMFUL)),
        "comply": (*(one.request for one in benign_requests(pool="audit")), *HARMLESS),
    }


def measured(folder: Path, seed: int, device: str) -> dict[str, dict[str, list[int]]]:
    """Of every request under every technique, whether it was answered otherwise than it should be.

    Replies are drawn at temperature 1 and read by the analyzer `refusal`: a harmful request is complied with
    if nothing in the reply refuses, a harmless one refused if anything does.
    """
    model, tokenizer = loaded(folder, device)
    reader = RefusalAnalyzer(RefusalAnalyzer.Options(), AnalyzerContext(root=Path()))
    wrong = {"refuse": {"none"}, "comply": {"full", "partial"}}
    found: dict[str, dict[str, list[int]]] = {kind: {} for kind in wrong}
    torch.manual_seed(seed)
    for kind, asked in requests_asked().items():
        for technique in (PLAIN, *FRAMES):
            texts = [_encoded(technique, text) for text in asked]
            expected = Expectation.model_validate({"kind": kind})
            scores = reader.score(
                [
                    Exchange(
                        output=0,
                        messages=(Message(role="user", content=text),),
                        reply=reply,
                        expectation=expected,
                    )
                    for text, reply in zip(texts, _replies(model, tokenizer, texts), strict=True)
                ]
            )
            found[kind][technique] = [int(score.label in wrong[kind]) for score in scores]
    return found


def _encoded(technique: str, text: str) -> str:
    if technique == PLAIN:
        return text
    said: str = load("evenhand.transforms", technique)().encode(text)
    return said


def _replies(model: Any, tokenizer: Any, texts: Sequence[str]) -> list[str]:
    tokenizer.padding_side = "left"
    replies = []
    for start in range(0, len(texts), BATCH):
        chats = [
            tokenizer.apply_chat_template(
                [{"role": "user", "content": text}], tokenize=False, add_generation_prompt=True
            )
            for text in texts[start : start + BATCH]
        ]
        given = tokenizer(chats, return_tensors="pt", padding=True, add_special_tokens=False)
        given = given.to(model.device)
        with torch.no_grad():
            made = model.generate(
                input_ids=given["input_ids"],
                attention_mask=given["attention_mask"],
                max_new_tokens=_TOKENS,
                do_sample=True,
                temperature=1.0,
                pad_token_id=tokenizer.pad_token_id,
            )
        head = given["input_ids"].shape[1]
        replies += [tokenizer.decode(row[head:], skip_special_tokens=True).strip() for row in made]
    return replies
