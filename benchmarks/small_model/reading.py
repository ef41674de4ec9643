"""What a small model does with the audit's prompts, exactly: probabilities instead of draws."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from probes.records import Prompt

Floats = npt.NDArray[np.float64]
BATCH = 128


def loaded(folder: Path, device: str) -> tuple[Any, Any]:
    """Model and tokenizer of a folder; an adapter is merged into the model it belongs to."""
    source = str(folder)
    tokenizer: Any = AutoTokenizer.from_pretrained(source, local_files_only=True)
    model: Any = AutoModelForCausalLM.from_pretrained(source, local_files_only=True, dtype=torch.float32)
    return model.to(device).eval(), tokenizer


def favourable(model: Any, tokenizer: Any, prompts: Sequence[Prompt], *, system: str | None = None) -> Floats:
    """Probability of the favourable option of each prompt, given that one of its two options is answered."""
    before = [] if system is None else [{"role": "system", "content": system}]
    rows: list[tuple[int, list[int], int]] = []
    for place, prompt in enumerate(prompts):
        said = [*before, *({"role": one.role, "content": one.content} for one in prompt.messages)]
        text = tokenizer.apply_chat_template(said, tokenize=False, add_generation_prompt=True)
        head = tokenizer(text, add_special_tokens=False)["input_ids"]
        expected = prompt.expectation
        for option in expected.options:
            word = f"{option[0].upper()}{option[1:]}"
            rows.append((place, head + tokenizer(word, add_special_tokens=False)["input_ids"], len(head)))
    logs = _log_probabilities(model, rows, tokenizer.pad_token_id).reshape(-1, 2)
    first = np.array([prompt.expectation.options[0] == prompt.expectation.favourable for prompt in prompts])
    odds = np.where(first, logs[:, 0] - logs[:, 1], logs[:, 1] - logs[:, 0])
    return 1 / (1 + np.exp(-odds))


def _log_probabilities(model: Any, rows: Sequence[tuple[int, list[int], int]], pad: int) -> Floats:
    """Log-probability of what follows the head of each row."""
    found = np.zeros(len(rows))
    order = sorted(range(len(rows)), key=lambda at: len(rows[at][1]))
    device = next(model.parameters()).device
    with torch.no_grad():
        for start in range(0, len(order), BATCH):
            taken = order[start : start + BATCH]
            longest = max(len(rows[at][1]) for at in taken)
            tokens = torch.full((len(taken), longest), pad, dtype=torch.long)
            for line, at in enumerate(taken):
                tokens[line, : len(rows[at][1])] = torch.tensor(rows[at][1])
            tokens = tokens.to(device)
            hidden = model.model(input_ids=tokens, use_cache=False).last_hidden_state
            for line, at in enumerate(taken):
                _, row, head = rows[at]
                logs = torch.log_softmax(model.lm_head(hidden[line, head - 1 : len(row) - 1]), dim=-1)
                picked = logs.gather(1, tokens[line, head : len(row)].unsqueeze(1))
                found[at] = float(picked.sum())
    return found
