"""What became of a gate, for people: a line a rule, and a row for each estimate that did not meet it."""

from audit.cli.console import clean, say, table
from audit.cli.numbers import between, probability, value
from audit.gates import GateEntry, GateResult

__all__ = ["show_gate"]

_ROWS_SHOWN = 20
_ORDER = ("failed", "inconclusive", "met")


def show_gate(result: GateResult) -> None:
    """Print one rule with its outcome; below it what failed, then what is not decided.

    Args:
        result: Of one rule.
    """
    rule = result.rule
    keys = ("attribute", "group", "domain", "signal")
    given = [f"{key} {value}" for key in keys if (value := getattr(rule, key))]
    about = f" ({', '.join(given)})" if given else ""
    counts = [(word, sum(one.outcome == word for one in result.entries)) for word in _ORDER]
    said = ", ".join(f"{count} {word}" for word, count in counts if count)
    of = "1 estimate" if result.estimates == 1 else f"{result.estimates} estimates"
    why = f"{of}: {said}" if result.entries else result.reason
    say(clean(f"gate {result.outcome}: {rule.measure}{about} fails if {rule.fail_if}; {why}"))
    rows = sorted(
        (one for one in result.entries if one.outcome != "met"), key=lambda one: _ORDER.index(one.outcome)
    )
    if rows:
        table(
            ["outcome", "estimate of", "point", "interval", "p adj.", "why"],
            [_row(one, rule.measure) for one in rows[:_ROWS_SHOWN]],
            below=("why", "p adj."),
        )
    if len(rows) > _ROWS_SHOWN:
        say(f"and {len(rows) - _ROWS_SHOWN} more; see --json")


def _row(entry: GateEntry, measure: str) -> list[str]:
    # A rate of one population is named by measure and domain alone, and has no sign.
    difference = entry.name.count("/") > 1
    return [
        entry.outcome,
        entry.name.removeprefix(f"{measure}/"),
        value(entry.point, difference=difference),
        between(entry.ci_low, entry.ci_high, difference=difference),
        probability(entry.p_adjusted),
        entry.reason,
    ]
