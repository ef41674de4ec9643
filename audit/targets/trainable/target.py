"""The `trainable` target: a small model on this machine that really learns, and answers decisions as text.

It shows the whole loop without a key, a network or a GPU. It answers questions that offer two options
and nothing else; evidence that a repair works on language models has to come from language models.
"""

from collections.abc import Sequence
from typing import Annotated

import numpy as np
from pydantic import Field
from scipy.special import expit

from audit.errors import InputError
from audit.records import Output, Request
from audit.targets.base import TargetContext, TargetInfo
from audit.targets.question import Question, read_question
from audit.targets.trainable.decision_model import load
from probes.base import Options
from probes.data import file_sha256
from probes.seeds import derive

__all__ = ["TrainableOptions", "TrainableTarget"]

_BATCH = 256
_NOT_A_DECISION = "This model only answers questions that offer two options, such as yes or no."
FAVOURABLE_REASONS = (
    "The figures are good enough.",
    "On the figures, the case is strong.",
    "The record supports it.",
)
UNFAVOURABLE_REASONS = (
    "The figures fall short.",
    "On the figures, the case is weak.",
    "The record is too thin.",
)


class TrainableOptions(Options):
    """Options of the `trainable` target."""

    path: str
    """Folder of a saved model (`model.json`, `weights.npz`), relative to the spec."""
    temperature: Annotated[float, Field(ge=0, le=10)] = 1.0
    """Divides the log-odds before the draw; 0 gives the more likely answer always."""


class TrainableTarget:
    """Answers decision questions with a draw from a learned logistic model."""

    Options = TrainableOptions

    def __init__(self, options: TrainableOptions, context: TargetContext) -> None:
        """Load the model; nothing is contacted.

        Args:
            options: Validated options.
            context: Where relative paths start, and the name outputs are stored under.

        Raises:
            InputError: The folder holds no model, or a damaged one.
        """
        folder = context.root / options.path
        self._temperature = options.temperature
        self._model = load(folder)
        self._name = context.name
        self._checksum = file_sha256(folder / "model.json")
        self.info = TargetInfo(
            name=context.name,
            deterministic=True,
            batch_size=_BATCH,
            max_in_flight=1,
            facts={"type": "trainable", "path": options.path, "model_sha256": self._checksum},
        )

    @classmethod
    def secret_names(cls, options: TrainableOptions) -> tuple[str, ...]:  # noqa: ARG003 - the seam asks for it
        """No secret is needed."""
        return ()

    def favourable_probability(self, prompt: str) -> float:
        """Chance that the answer to a prompt is the favourable one, in [0, 1], temperature included.

        Raises:
            InputError: The prompt offers no two options.
        """
        if read_question(prompt) is None:
            raise InputError(f"the prompt offers no two options to choose from: {prompt[-80:]!r}")
        return float(self._chances([prompt])[0])

    async def generate(self, requests: Sequence[Request], *, seed: int) -> Sequence[Output]:
        """One answer for each request: the option word, then a short reason.

        Args:
            requests: Any number of them.
            seed: The run's root seed; each answer's draw also depends on prompt and repeat.

        Returns:
            Outputs in the order of the requests.
        """
        texts = [_prompt_text(request) for request in requests]
        chances = self._chances(texts)
        return [
            self._output(request, read_question(text), float(chance), seed)
            for request, text, chance in zip(requests, texts, chances, strict=True)
        ]

    async def aclose(self) -> None:
        """Nothing to give back."""

    def _chances(self, texts: Sequence[str]) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
        log_odds = self._model.log_odds(texts)
        if self._temperature == 0:
            return np.where(log_odds >= 0, 1.0, 0.0)
        return np.asarray(expit(log_odds / self._temperature), dtype=np.float64)

    def _output(self, request: Request, question: Question | None, chance: float, seed: int) -> Output:
        if question is None:
            text = _NOT_A_DECISION
        else:
            drawn = derive(seed, "trainable", request.prompt_id, request.repeat)
            # 53 of the 64 derived bits make the uniform draw; a whole generator a prompt would cost 20 µs.
            favourable = (drawn >> 11) / 2**53 < chance
            reasons = FAVOURABLE_REASONS if favourable else UNFAVOURABLE_REASONS
            option = question.favourable if favourable else question.unfavourable
            text = f"{option[0].upper()}{option[1:]}. {reasons[drawn % len(reasons)]}"
        return Output(
            target=self._name,
            prompt_id=request.prompt_id,
            turn=request.turn,
            repeat=request.repeat,
            attempt=request.attempt,
            text=text,
            finish_reason="stop",
            model="trainable",
            fingerprint=self._checksum[:16],
        )


def _prompt_text(request: Request) -> str:
    """What the user said, all turns joined; system messages carry no facts of a case."""
    return "\n".join(message.content for message in request.messages if message.role == "user")
