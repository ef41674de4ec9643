"""Drawing the next token of each row of a batch from a generator of its own.

`generate` draws all rows from one global generator, so what a prompt is answered would depend on which
others were in its batch. Here each row has one uniform number a step, from its own seed, and takes the
token where the cumulated probability passes it. What is left of the batch is rounding: kernels add in
another order in a larger or padded batch, so that probabilities differ in their last digits, and a draw
that falls between the two takes another token.
"""

from collections.abc import Sequence

import numpy as np
import torch
from transformers import (
    LogitsProcessor,
    LogitsProcessorList,
    TemperatureLogitsWarper,
    TopKLogitsWarper,
    TopPLogitsWarper,
)

__all__ = ["RowDraws", "warpers"]


def warpers(temperature: float, top_p: float | None, top_k: int | None) -> LogitsProcessorList:
    """What narrows a distribution before a token is drawn.

    Args:
        temperature: Above 0; divides the logits.
        top_p: Share of probability kept, in (0, 1]; None keeps all.
        top_k: Tokens kept; None or 0 keeps all.
    """
    found = LogitsProcessorList()
    if temperature != 1.0:
        found.append(TemperatureLogitsWarper(temperature))
    if top_k:
        found.append(TopKLogitsWarper(top_k=top_k))
    if top_p is not None and top_p < 1.0:
        found.append(TopPLogitsWarper(top_p=top_p))
    return found


class RowDraws(LogitsProcessor):
    """Chooses the next token of each row, and leaves nothing else to choose from.

    To be used with `do_sample=False`: the only token left is then the likeliest.
    """

    def __init__(
        self, draws: Sequence[np.random.Generator] | None, narrow: LogitsProcessorList, *, keep: bool
    ) -> None:
        """Keep what to draw with.

        Args:
            draws: A generator a row; None takes the likeliest token.
            narrow: See `warpers`.
            keep: Whether log-probabilities are kept.
        """
        self._draws = draws
        self._narrow = narrow
        self._keep = keep
        self._kept: list[torch.Tensor] = []

    def logprobs(self, row: int, count: int) -> tuple[float, ...]:
        """Log-probabilities of the first tokens of a row, before temperature and narrowing."""
        return tuple(float(step[row]) for step in self._kept[:count])

    def __call__(self, input_ids: torch.LongTensor, scores: torch.FloatTensor) -> torch.FloatTensor:
        """Scores with one token a row left; shapes (rows, tokens so far) and (rows, vocabulary)."""
        chosen = scores.argmax(-1) if self._draws is None else self._drawn(input_ids, scores)
        if self._keep:
            self._kept.append(torch.log_softmax(scores.float(), -1).gather(1, chosen[:, None])[:, 0].cpu())
        only = torch.full_like(scores, -torch.inf)
        return only.scatter_(1, chosen[:, None], 0.0)  # type: ignore[return-value] # the same kind as scores

    def _drawn(self, input_ids: torch.LongTensor, scores: torch.FloatTensor) -> torch.Tensor:
        precise = torch.float32 if scores.device.type == "mps" else torch.float64
        narrowed = self._narrow(input_ids, scores.float())
        shares = torch.softmax(narrowed.to(precise), -1)
        cumulated = shares.cumsum(-1)
        numbers = [draws.random() for draws in self._draws or ()]
        points = torch.tensor(numbers, dtype=precise).to(scores.device)[:, None] * cumulated[:, -1:]
        places = torch.searchsorted(cumulated, points, right=True)[:, 0]
        # Rounding may put a point at the very end: the last token that has a share at all is meant.
        last = shares.shape[-1] - 1 - (shares > 0).flip(-1).int().argmax(-1)
        return torch.minimum(places, last)
