"""The judge analyzer: another model rates replies by a fixed rubric, in both orders of its labels."""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from typing import Literal

from pydantic import Field, JsonValue

from audit.analyzers.base import AnalyzerContext, AnalyzerInfo, Asks, Rater
from audit.analyzers.judge.identity_mask import masked
from audit.analyzers.judge.prompt import LONGEST, PROMPT_VERSION, conversation, verdict_schema
from audit.analyzers.judge.reading import combined, read_verdict
from audit.analyzers.judge.rubrics import LoadedRubric, Rubric, load_rubric
from audit.analyzers.readings import answer_of
from audit.errors import SpecError
from audit.records import Exchange, Score
from audit.spec import Limits, TargetSpec
from probes.base import Options as PluginOptions
from probes.records import Expectation, Message

__all__ = ["JudgeAnalyzer"]

_IDENTITY = ("base_url", "model", "call", "path")
"""Options that tell one model from another, whatever the target's type."""
_OPENAI = "https://api.openai.com/v1"
_MEASURE = "evenhand analyzers check judge"
_NO_MODEL = "a model"


class JudgeAnalyzer:
    """Rates replies with a model as rater; see `audit.analyzers.judge.rubrics`.

    One reading a rubric, named like it. Label: one of the rubric's labels, with its value; or, without a
    value, `undetermined` (the two orders of the labels gave different verdicts, or the judge cannot tell),
    `unparsed` (an answer that is no verdict), `unrated` (no answer) or `empty` (there is no reply).

    Not for judging the model that does the judging, and not to be believed before it is measured on
    labelled replies like those of the audit.
    """

    class Options(PluginOptions):
        """What the spec may say about it."""

        target: TargetSpec
        """The model that judges, in the form of a spec's `target`; never the audited model by default."""
        rubrics: tuple[str, ...] = Field(min_length=1)
        """Names of shipped rubrics, or paths of files relative to the spec."""
        swap: bool = True
        """Whether each reply is judged again with the labels in reverse order; only agreement counts."""
        mask_identity: bool = False
        """Whether words for groups, pronouns, ages and listed names are masked before judging."""
        response_format: Literal["json_schema", "json_object", "none"] = "json_schema"
        """What an `openai` target is asked to enforce; `none` for servers that reject the key."""
        allow_same_model: bool = False
        """Whether the judge may be the audited model; every finding then says so."""
        limits: Limits = Limits()
        """Where its spending ends, in one scoring."""

    info: AnalyzerInfo = AnalyzerInfo(
        name="judge",
        version="2",
        measures=("verdict",),
        reads="What a model says of a reply, asked by a fixed rubric in both orders of its labels.",
        languages=("en",),
        validity=(
            "Unknown until measured: judges favour longer replies, their own style and their own family of "
            "models, follow commands in what they read, and read dialects differently. The shipped rubrics "
            "are English and unreviewed; what a judge makes of other languages is its own affair."
        ),
    )

    def __init__(self, options: PluginOptions, context: AnalyzerContext) -> None:
        """Load the rubrics and make the model ready; nothing is contacted.

        Args:
            options: An instance of `JudgeAnalyzer.Options`.
            context: Folder of user's rubrics, raters, and what is audited.

        Raises:
            SpecError: The judge is the audited model, an option of its target is wrong, rubrics share a
                name, or one needs what is masked.
            InputError: A rubric is missing or malformed.
        """
        self._options = self.Options.model_validate(options.model_dump())
        if context.raters is None:
            raise SpecError("judge needs a model to ask, and none can be asked here")
        self._rubrics = [load_rubric(given, context.root) for given in self._options.rubrics]
        self._check_rubrics()
        same = any(_identity(self._options.target) == _identity(one) for one in context.audited)
        if same and not self._options.allow_same_model:
            raise SpecError(
                "target: the judge is the audited model itself; accepted: another model, or "
                "allow_same_model: true, which every finding then says"
            )
        self._rater = context.raters.of_spec(self._section(), self._options.limits, name="judge")
        self.info = self._described(self._rater, same=same)

    def score(self, exchanges: Sequence[Exchange]) -> list[Score]:
        """One score a rubric and exchange in its scope, in the order of the exchanges.

        Raises:
            IncompleteError: The model fails; what it answered is kept.
            BudgetReachedError: A limit is reached; what was answered is kept.
        """
        found: dict[int, list[Score]] = {exchange.output: [] for exchange in exchanges}
        for loaded in self._rubrics:
            for score in self._scores(loaded, exchanges):
                found[score.output].append(score)
        return [score for exchange in exchanges for score in found[exchange.output]]

    def _scores(self, loaded: LoadedRubric, exchanges: Sequence[Exchange]) -> list[Score]:
        rubric = loaded.rubric
        mine = [one for one in exchanges if one.expectation.kind in rubric.expects]
        judged = [one for one in mine if answer_of(one)]
        orders = (False, True) if self._options.swap else (False,)
        asked = [self._asked(rubric, one, reverse=reverse) for one in judged for reverse in orders]
        outputs = self._rater.ask(asked, book=self._book(loaded))
        verdicts = [read_verdict(output, rubric) for output in outputs]
        labels = {
            one.output: combined(verdicts[place * len(orders) : (place + 1) * len(orders)])
            for place, one in enumerate(judged)
        }
        values = {label.name: label.value for label in rubric.labels}
        return [
            Score(
                output=one.output,
                analyzer=self.info.name,
                version=self.info.version,
                measure=rubric.name,
                value=values.get(labels.get(one.output, "empty")),
                label=labels.get(one.output, "empty"),
            )
            for one in mine
        ]

    def _asked(self, rubric: Rubric, exchange: Exchange, *, reverse: bool) -> tuple[Message, ...]:
        if self._options.mask_identity:
            messages = tuple(
                one.model_copy(update={"content": masked(one.content)}) for one in exchange.messages
            )
            exchange = exchange.model_copy(update={"messages": messages, "reply": masked(exchange.reply)})
        return conversation(rubric, exchange, reverse=reverse)

    def _check_rubrics(self) -> None:
        names = [one.rubric.name for one in self._rubrics]
        if len(set(names)) < len(names):
            raise SpecError(f"rubrics: must have different names; got {', '.join(names)}")
        blind = [one.rubric.name for one in self._rubrics if one.rubric.needs_identity]
        if blind and self._options.mask_identity:
            raise SpecError(
                f"mask_identity: rubric {blind[0]} cannot be answered when the words for groups are masked; "
                "accepted: false"
            )

    def _section(self) -> TargetSpec:
        """The target's part, with what makes an OpenAI-compatible server answer in JSON."""
        section, wanted = self._options.target, self._options.response_format
        if section.type != "openai" or wanted == "none":
            return section
        options = section.options()
        params = options.get("params", {})
        if not isinstance(params, dict):
            return section  # The target's own validation refuses it.
        further = params.get("extra_body", {})
        if not isinstance(further, dict) or "response_format" in further:
            return section
        names = {label.name for one in self._rubrics for label in one.rubric.labels}
        chosen: JsonValue = {"type": "json_object"}
        if wanted == "json_schema":
            chosen = verdict_schema((*sorted(names), "undetermined"))
        params = {**params, "extra_body": {**further, "response_format": chosen}}
        return TargetSpec.model_validate({"type": section.type, **options, "params": params})

    def _described(self, rater: Rater, *, same: bool) -> AnalyzerInfo:
        facts = rater.info.facts
        model = facts.get("model") or facts.get("call") or facts.get("type") or _NO_MODEL
        where = f"{model} at {', '.join(rater.info.hosts)}" if rater.info.hosts else model
        notes: list[str] = []
        names = ", ".join(one.rubric.name for one in self._rubrics)
        if same:
            notes.append("the judge is the audited model itself")
        if self._options.mask_identity:
            notes.append("words for groups were masked before judging")
        parts = [f"{one.rubric.name}.{one.rubric.version}.{one.sha256[:8]}" for one in self._rubrics]
        judge = f"{re.sub(r'[^A-Za-z0-9._-]', '-', model)[:60]}.{self._settings()[:8]}"
        return type(self).info.model_copy(
            update={
                "version": "+".join([type(self).info.version, *parts, judge]),
                "measures": tuple(one.rubric.name for one in self._rubrics),
                "reads": f"What {where} says of a reply, by rubric: {names}.",
                "declared": tuple(one.rubric.declared("judge") for one in self._rubrics),
                "notes": tuple(notes),
                "unmeasured": f"judge {where}: error rates unmeasured; measure them with {_MEASURE}",
                "hosts": rater.info.hosts,
                "secret_names": rater.secret_names,
                "asks": tuple(self._asks(one.rubric, where) for one in self._rubrics),
            }
        )

    def _asks(self, rubric: Rubric, model: str) -> Asks:
        nothing = Exchange(
            output=0,
            messages=(Message(role="user", content=""),),
            reply="",
            expectation=Expectation(kind="open"),
        )
        characters = sum(len(one.content) for one in conversation(rubric, nothing, reverse=False))
        calls = 2 if self._options.swap else 1
        return Asks(model=model, expects=rubric.expects, calls=calls, characters=characters)

    def _settings(self) -> str:
        """Checksum of everything but the rubrics that could change a verdict."""
        settings = {
            "prompt": PROMPT_VERSION,
            "longest": LONGEST,
            "facts": dict(self._rater.info.facts),
            "swap": self._options.swap,
            "mask_identity": self._options.mask_identity,
        }
        return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()

    def _book(self, loaded: LoadedRubric) -> str:
        """Answers to one rubric by one model are kept together, whatever other rubrics are asked."""
        facts = json.dumps([loaded.sha256, dict(self._rater.info.facts)], sort_keys=True)
        name = loaded.rubric.name.replace("_", "-")
        return f"judge-{name}-{hashlib.sha256(facts.encode()).hexdigest()[:12]}"


def _identity(section: TargetSpec) -> Mapping[str, str]:
    """What tells one model from another: type, address and name."""
    options = section.options()
    if section.type == "openai":
        options.setdefault("base_url", _OPENAI)
    kept = {key: str(options[key]).rstrip("/") for key in _IDENTITY if key in options}
    return {"type": section.type, **kept}
