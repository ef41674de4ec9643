"""The run store's tables, and how records become rows and come back."""

import json
import math
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from pydantic import TypeAdapter

from audit.records import Output, Usage
from probes.records import Expectation, Message, Prompt

__all__ = [
    "ADDED_COLUMNS",
    "APPLICATION_ID",
    "BATCH_TABLES",
    "COUNT_TABLES",
    "FIRST_TABLES",
    "INSERT_OUTPUT",
    "INSERT_PROMPT",
    "LATEST",
    "LISTED",
    "ORDER_TABLES",
    "OUTPUT_COLUMNS",
    "PROMPT_COLUMNS",
    "SELECT_OUTPUTS",
    "SELECT_PROMPTS",
    "TURN_COLUMNS",
    "Row",
    "Value",
    "further_from",
    "messages_from",
    "output_from",
    "output_row",
    "prompt_from",
    "prompt_row",
]

Value = str | int | float | bytes | None
"""What a cell of the store holds."""
Row = Sequence[Value]

APPLICATION_ID = 0x45564E48
"""Marks the SQLite file as a run store (`PRAGMA application_id`); the letters EVNH."""

PROMPT_COLUMNS = (
    "id",
    "probe",
    "template",
    "domain",
    "language",
    "set_id",
    "arm",
    "placebo",
    "attribute",
    "grp",
    "reference",
    "signal",
    "norm",
    "name",
    "source_id",
    "tags",
    "expectation",
    "messages",
    "further",
    "judged",
)
OUTPUT_COLUMNS = (
    "target",
    "prompt_id",
    "turn",
    "repeat",
    "attempt",
    "outcome",
    "text",
    "error",
    "finish_reason",
    "refusal",
    "prompt_tokens",
    "completion_tokens",
    "latency_s",
    "logprobs",
    "request_id",
    "model",
    "fingerprint",
    "cached",
    "reasoning",
)

FIRST_TABLES = (
    "CREATE TABLE meta(key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT",
    """CREATE TABLE prompts(
        seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, probe TEXT NOT NULL, template TEXT NOT NULL,
        domain TEXT NOT NULL, language TEXT NOT NULL, set_id TEXT, arm TEXT, placebo TEXT, attribute TEXT,
        grp TEXT, reference TEXT, signal TEXT, norm TEXT, name TEXT, source_id TEXT, tags TEXT NOT NULL,
        expectation TEXT NOT NULL, messages TEXT NOT NULL) STRICT""",
    """CREATE TABLE outputs(
        id INTEGER PRIMARY KEY, target TEXT NOT NULL, prompt_id TEXT NOT NULL REFERENCES prompts(id),
        turn INTEGER NOT NULL, repeat INTEGER NOT NULL, attempt INTEGER NOT NULL, outcome TEXT NOT NULL,
        text TEXT, error TEXT, finish_reason TEXT, refusal TEXT, prompt_tokens INTEGER,
        completion_tokens INTEGER, latency_s REAL, logprobs TEXT, request_id TEXT, model TEXT,
        fingerprint TEXT, cached INTEGER NOT NULL,
        UNIQUE(target, prompt_id, turn, repeat, attempt)) STRICT""",
    """CREATE TABLE scores(
        output INTEGER NOT NULL REFERENCES outputs(id), analyzer TEXT NOT NULL, version TEXT NOT NULL,
        measure TEXT NOT NULL, value REAL, label TEXT NOT NULL,
        PRIMARY KEY(output, analyzer, measure)) STRICT, WITHOUT ROWID""",
    # An analyzer may have nothing to say of an output; without this it would be asked about it for ever.
    """CREATE TABLE scored(
        output INTEGER NOT NULL REFERENCES outputs(id), analyzer TEXT NOT NULL, version TEXT NOT NULL,
        PRIMARY KEY(output, analyzer)) STRICT, WITHOUT ROWID""",
)
"""Tables of version 1."""
BATCH_TABLES = (
    # The row is there before the batch is: a process killed between the two finds the batch by its tag.
    """CREATE TABLE batches(
        tag TEXT PRIMARY KEY, target TEXT NOT NULL, batch TEXT, requests INTEGER NOT NULL,
        intended_at REAL NOT NULL, state TEXT NOT NULL, reason TEXT) STRICT""",
    # The key makes it impossible for a planned output to be in two open batches.
    """CREATE TABLE batch_requests(
        target TEXT NOT NULL, prompt_id TEXT NOT NULL REFERENCES prompts(id), turn INTEGER NOT NULL,
        repeat INTEGER NOT NULL, attempt INTEGER NOT NULL, tag TEXT NOT NULL REFERENCES batches(tag),
        PRIMARY KEY(target, prompt_id, turn, repeat)) STRICT, WITHOUT ROWID""",
    "CREATE INDEX batch_requests_tag ON batch_requests(tag)",
)
"""Tables of version 2: batches handed to a provider, and the requests in them that have no output yet."""

ORDER_TABLES = ("CREATE TABLE asking(place INTEGER PRIMARY KEY, seq INTEGER NOT NULL) STRICT",)
"""Table of version 3: the order in which prompts are asked, worked out when the plan is made."""

_COUNTED = "target, turn, repeat, outcome"
COUNT_TABLES = (
    f"""CREATE TABLE tally(
        target TEXT NOT NULL, turn INTEGER NOT NULL, repeat INTEGER NOT NULL, outcome TEXT NOT NULL,
        outputs INTEGER NOT NULL, PRIMARY KEY({_COUNTED})) STRICT, WITHOUT ROWID""",
    f"""INSERT INTO tally SELECT {_COUNTED}, count(*) FROM outputs o WHERE NOT EXISTS (
        SELECT 1 FROM outputs later WHERE later.target = o.target AND later.prompt_id = o.prompt_id
        AND later.turn = o.turn AND later.repeat = o.repeat AND later.attempt > o.attempt)
        GROUP BY {_COUNTED}""",  # noqa: S608 - a constant
    f"""CREATE TRIGGER outputs_counted AFTER INSERT ON outputs BEGIN
        INSERT INTO tally VALUES (new.target, new.turn, new.repeat, new.outcome, 1)
        ON CONFLICT({_COUNTED}) DO UPDATE SET outputs = outputs + 1; END""",  # noqa: S608 - a constant
    # Only a later attempt pays for looking up the one before it.
    """CREATE TRIGGER outputs_superseded AFTER INSERT ON outputs WHEN new.attempt > 0 BEGIN
        UPDATE tally SET outputs = outputs - 1
        WHERE target = new.target AND turn = new.turn AND repeat = new.repeat AND outcome = (
            SELECT o.outcome FROM outputs o WHERE o.target = new.target AND o.prompt_id = new.prompt_id
            AND o.turn = new.turn AND o.repeat = new.repeat AND o.attempt < new.attempt
            ORDER BY o.attempt DESC LIMIT 1); END""",
    "CREATE INDEX outputs_errored ON outputs(repeat, target, prompt_id) WHERE outcome = 'errored'",
)
"""Table of the latest attempts' outcomes, counted as they are stored, and where errored ones are found: with
them going on with a run takes the same time however much of it is done."""

TURN_COLUMNS = (
    "ALTER TABLE prompts ADD COLUMN further TEXT",
    "ALTER TABLE prompts ADD COLUMN judged INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE outputs ADD COLUMN reasoning TEXT",
    # With it a plan without conversations pays nothing for those of others.
    "CREATE INDEX prompts_of_turns ON prompts(id) WHERE further IS NOT NULL",
)
"""Columns of version 5: what the user says after the first reply (JSON; NULL if nothing), the turn whose
reply is judged, and what a model thought aloud."""

ADDED_COLUMNS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "prompts": MappingProxyType({"further": "NULL", "judged": "0"}),
        "outputs": MappingProxyType({"reasoning": "NULL"}),
    }
)
"""Columns that tables of older versions lack, and what a reader finds in their place."""

INSERT_PROMPT = (
    f"INSERT INTO prompts({', '.join(PROMPT_COLUMNS)}) VALUES ({', '.join('?' * len(PROMPT_COLUMNS))})"  # noqa: S608 - constants above
)
INSERT_OUTPUT = (
    f"INSERT INTO outputs({', '.join(OUTPUT_COLUMNS)}) VALUES ({', '.join('?' * len(OUTPUT_COLUMNS))})"  # noqa: S608 - constants above
)
SELECT_PROMPTS = f"SELECT {', '.join(PROMPT_COLUMNS)} FROM prompts"  # noqa: S608 - constants above
SELECT_OUTPUTS = f"SELECT o.id, {', '.join('o.' + column for column in OUTPUT_COLUMNS)} FROM outputs o"  # noqa: S608 - constants above
LISTED = "(SELECT value FROM json_each(?))"
"""The values of a JSON list, to stand after `IN`: one text for lists of any length, so that a connection
keeps one prepared statement of it; with a question mark a value it would keep a hundred, of megabytes."""
LATEST = """NOT EXISTS (SELECT 1 FROM outputs later WHERE later.target = o.target
    AND later.prompt_id = o.prompt_id AND later.turn = o.turn AND later.repeat = o.repeat
    AND later.attempt > o.attempt)"""
"""Condition on `outputs o`: no later attempt supersedes it."""

_MESSAGES = TypeAdapter(tuple[Message, ...])
_TURNS = TypeAdapter(tuple[str, ...])


def prompt_row(prompt: Prompt) -> Row:
    """A prompt as the values of `PROMPT_COLUMNS`."""
    messages = [{"role": message.role, "content": message.content} for message in prompt.messages]
    return (
        prompt.id,
        prompt.probe,
        prompt.template,
        prompt.domain,
        prompt.language,
        prompt.set_id,
        prompt.arm,
        prompt.placebo,
        prompt.attribute,
        prompt.group,
        prompt.reference,
        prompt.signal,
        prompt.norm,
        prompt.name,
        prompt.source_id,
        json.dumps(prompt.tags, ensure_ascii=False, sort_keys=True),
        prompt.expectation.model_dump_json(exclude_defaults=True),
        json.dumps(messages, ensure_ascii=False),
        json.dumps(prompt.further, ensure_ascii=False) if prompt.further else None,
        prompt.judged_turn,
    )


def prompt_from(row: Row) -> Prompt:
    """The prompt that `prompt_row` made this row of."""
    fields: dict[str, object] = dict(zip(PROMPT_COLUMNS, row, strict=True))
    fields["group"] = fields.pop("grp")
    fields["tags"] = json.loads(str(fields["tags"]))
    fields["expectation"] = Expectation.model_validate_json(str(fields["expectation"]))
    fields["messages"] = messages_from(str(fields["messages"]))
    further = further_from(fields["further"])
    judged = int(str(fields["judged"]))
    fields |= {"further": further, "judged": None if judged == len(further) else judged}
    return Prompt.model_validate(fields)


def messages_from(text: Value) -> tuple[Message, ...]:
    """The messages that a `messages` cell holds."""
    return _MESSAGES.validate_json(str(text))


def further_from(text: object) -> tuple[str, ...]:
    """The turns that a `further` cell holds."""
    return () if text is None else _TURNS.validate_json(str(text))


def output_row(output: Output) -> Row:
    """An output as the values of `OUTPUT_COLUMNS`; a latency that is no number is missing."""
    usage = output.usage
    latency = output.latency_s
    return (
        output.target,
        output.prompt_id,
        output.turn,
        output.repeat,
        output.attempt,
        output.outcome,
        output.text,
        output.error,
        output.finish_reason,
        output.refusal,
        None if usage is None else usage.prompt_tokens,
        None if usage is None else usage.completion_tokens,
        None if latency is None or not math.isfinite(latency) else latency,
        None if output.logprobs is None else json.dumps(output.logprobs, allow_nan=False),
        output.request_id,
        output.model,
        output.fingerprint,
        int(output.cached),
        output.reasoning,
    )


def output_from(row: Row) -> Output:
    """The output that `output_row` made this row of."""
    fields: dict[str, object] = dict(zip(OUTPUT_COLUMNS, row, strict=True))
    del fields["outcome"]
    tokens = (fields.pop("prompt_tokens"), fields.pop("completion_tokens"))
    if tokens != (None, None):
        fields["usage"] = Usage.model_validate({"prompt_tokens": tokens[0], "completion_tokens": tokens[1]})
    if fields["logprobs"] is not None:
        fields["logprobs"] = tuple(json.loads(str(fields["logprobs"])))
    fields["cached"] = bool(fields["cached"])
    return Output.model_validate(fields)
