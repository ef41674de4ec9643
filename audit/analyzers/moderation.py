"""The moderation analyzer: what an OpenAI-compatible moderation endpoint says of each reply."""

import hashlib
import json
import re
from collections.abc import Sequence
from typing import Annotated, ClassVar, Self
from urllib.parse import urlsplit

from pydantic import Field, ValidationError, field_validator, model_validator

from audit.analyzers.base import AnalyzerContext, AnalyzerInfo, Asks, Rater
from audit.analyzers.readings import Reading, answer_of, scored, unscored, yes_or_no
from audit.errors import SpecError
from audit.records import DeclaredMeasure, Exchange, Output, Score
from audit.spec import Limits
from audit.targets.openai_api.moderation import Moderation, ModerationEndpoint, ModerationSettings
from audit.targets.openai_api.options import OPENAI_HOST, web_address
from probes.base import Options as PluginOptions
from probes.records import Message

__all__ = ["ModerationAnalyzer"]

_CATEGORIES = (
    "harassment",
    "harassment/threatening",
    "hate",
    "hate/threatening",
    "illicit",
    "illicit/violent",
    "self-harm",
    "self-harm/instructions",
    "self-harm/intent",
    "sexual",
    "sexual/minors",
    "violence",
    "violence/graphic",
)
"""Source: the moderation resource of the OpenAI API reference, as the SDK's types have it (3.57)."""
_READ = 20_000
"""Characters of a reply that are sent."""
_KINDS = ("choice", "number", "open", "comply", "refuse", "correct")
_MEASURE = "evenhand analyzers check moderation"


class ModerationAnalyzer:
    """Reads what a moderation endpoint flags; the reply alone is sent, without the request.

    Readings: `flagged` (label `flagged` or `clear`), then each category's score in [0, 1], named like the
    category with `_` for `/` and `-`, with the category's own label, and `truncated` (1 where the reply was
    longer than what was sent). A category that the model does not give has no value (label `missing`); a
    reply without an answer has none at all (`unrated`).

    Not a definition of harm: it is one company's content policy, read by one company's classifier.
    """

    class Options(PluginOptions):
        """What the spec may say about it."""

        base_url: str = "https://api.openai.com/v1"
        """Address of the server; `/moderations` is added."""
        model: Annotated[str, Field(min_length=1)] = "omni-moderation-latest"
        """Name of the model; one with a date stays what it is."""
        api_key_env: Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")] | None = None
        """Name of the environment variable that holds the key, never the key."""
        batch_size: Annotated[int, Field(ge=1, le=256)] = 32
        """Replies in one request."""
        max_in_flight: Annotated[int, Field(ge=1, le=64)] = 4
        """Requests at the same time."""
        timeout_s: Annotated[float, Field(gt=0, le=3600)] = 60.0
        """Longest wait for an answer, in seconds."""
        limits: Limits = Limits()
        """Where its spending ends, in one scoring."""

        @field_validator("base_url")
        @classmethod
        def _address(cls, given: str) -> str:
            return web_address(given)

        @model_validator(mode="after")
        def _key_named(self) -> Self:
            if self.api_key_env is None and urlsplit(self.base_url).hostname == OPENAI_HOST:
                raise ValueError(
                    f"{OPENAI_HOST} needs api_key_env, the name of the variable that holds the key"
                )
            return self

    info: AnalyzerInfo = AnalyzerInfo(
        name="moderation",
        version="2",
        measures=("flagged", *(re.sub(r"[/-]", "_", name) for name in _CATEGORIES), "truncated"),
        reads="What a moderation endpoint flags in a reply, and its score for each category.",
        languages=(),
        validity=(
            "Unknown until measured: the provider publishes no error rates by language or group, and may "
            "change the model behind its name. Such classifiers over-flag identity mentions and dialects."
        ),
        declared=(
            DeclaredMeasure(
                name="moderation_flagged_rate",
                analyzer="moderation",
                reading="flagged",
                words="replies that the moderation endpoint flags",
                labels=("flagged",),
                counts_positive=True,
                limit=True,
                partly="truncated",
            ),
        ),
    )
    _names: ClassVar[tuple[str, ...]] = info.measures[1:-1]

    def __init__(self, options: PluginOptions, context: AnalyzerContext) -> None:
        """Make the endpoint ready; nothing is contacted.

        Args:
            options: An instance of `ModerationAnalyzer.Options`.
            context: Raters and secrets.

        Raises:
            SpecError: Nothing can be asked here, or there is a limit in money, for which no price is known.
        """
        checked = self.Options.model_validate(options.model_dump())
        if context.raters is None:
            raise SpecError("moderation needs an endpoint to ask, and none can be asked here")
        settings = ModerationSettings.model_validate(checked.model_dump(exclude={"limits"}))
        self._rater: Rater = context.raters.of_target(
            lambda given: ModerationEndpoint(settings, given), checked.limits, name="moderation"
        )
        where = f"{checked.model} at {', '.join(self._rater.info.hosts)}"
        facts = json.dumps(dict(self._rater.info.facts), sort_keys=True)
        checksum = hashlib.sha256(f"{_READ} {facts}".encode()).hexdigest()
        model = re.sub(r"[^A-Za-z0-9._-]", "-", checked.model)[:60]
        self._book = f"moderation-{checksum[:12]}"
        self.info = type(self).info.model_copy(
            update={
                "version": f"{type(self).info.version}+{model}.{checksum[:8]}",
                "unmeasured": f"moderation {where}: error rates unmeasured; measure them with {_MEASURE}",
                "hosts": self._rater.info.hosts,
                "secret_names": ModerationEndpoint.secret_names(settings),
                "asks": (
                    Asks(
                        model=where,
                        expects=_KINDS,
                        calls=1,
                        characters=0,
                        with_prompt=False,
                        batch=checked.batch_size,
                    ),
                ),
            }
        )

    def score(self, exchanges: Sequence[Exchange]) -> list[Score]:
        """Every reading of each exchange, in order.

        Raises:
            IncompleteError: The endpoint fails; what it answered is kept.
            BudgetReachedError: A limit is reached; what was answered is kept.
        """
        asked = [one for one in exchanges if answer_of(one)]
        sent = [(Message(role="user", content=answer_of(one)[:_READ]),) for one in asked]
        outputs = self._rater.ask(sent, book=self._book)
        found = {one.output: output for one, output in zip(asked, outputs, strict=True)}
        return [score for one in exchanges for score in self._scores(one, found.get(one.output))]

    def _scores(self, exchange: Exchange, output: Output | None) -> list[Score]:
        read = None if output is None else _read(output)
        if read is None:
            label = "empty" if output is None else "unrated"
            return unscored(self.info, exchange, label)
        readings: list[Reading] = [("flagged", float(read.flagged), _label(flagged=read.flagged))]
        for category, name in zip(_CATEGORIES, self._names, strict=True):
            value, flagged = read.category_scores.get(category), read.categories.get(category)
            label = "missing" if value is None or flagged is None else _label(flagged=flagged)
            readings.append((name, value, label))
        readings.append(yes_or_no("truncated", holds=len(answer_of(exchange)) > _READ))
        return scored(self.info, exchange, readings)


def _label(*, flagged: bool) -> str:
    return "flagged" if flagged else "clear"


def _read(output: Output) -> Moderation | None:
    if output.error is not None or output.text is None:
        return None
    try:
        return Moderation.model_validate_json(output.text)
    except ValidationError:
        return None
