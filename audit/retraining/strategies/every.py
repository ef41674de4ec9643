"""From findings to candidates: which strategy answers which finding, and how many examples it may make."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from audit.errors import InputError
from audit.records import Finding
from audit.retraining.held_out import HeldOut
from audit.retraining.ordinary import OrdinaryRows
from audit.retraining.own_answers import OwnAnswers
from audit.retraining.records import Example, RetrainingOptions
from audit.retraining.strategies.base import Cell, Making, Role, Strategy
from probes.plugins import load, names

__all__ = ["STRATEGIES", "TRANSFORMS", "Answered", "answer", "candidates", "strategies_of"]

STRATEGIES = "evenhand.strategies"
"""Entry-point group of strategies."""

TRANSFORMS = "evenhand.transforms"
"""Entry-point group of rewrites."""

_Cells = Mapping[Cell, tuple[str, ...]]
_Entry = tuple[Strategy, Cell, tuple[str, ...]]
"""A strategy, a cell that it answers, and the ids of the findings there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """Which strategy answers what."""

    cells: Mapping[str, _Cells]
    """By name of the strategy: its cells, sorted, each with the ids of its findings."""
    left_out: tuple[str, ...]
    """A line for each finding that no repair answers, with the reasons."""
    strategies: Mapping[str, Strategy] = field(repr=False)
    held_out: HeldOut = field(repr=False)
    own: OwnAnswers | None = field(default=None, repr=False)

    def of(self, role: Role) -> list[_Entry]:
        """Strategy, cell and findings of one role, in a fixed order."""
        return [
            (self.strategies[name], cell, findings)
            for name in sorted(self.cells)
            if self.strategies[name].info.role is role
            for cell, findings in self.cells[name].items()
        ]

    @property
    def findings(self) -> tuple[str, ...]:
        """Ids of the findings that a repair answers, sorted."""
        return tuple(sorted({found for _, _, ids in self.of(Role.REPAIR) for found in ids}))

    @property
    def repairing(self) -> frozenset[str]:
        """Names of the strategies whose examples repair, and do not only stand beside what does."""
        return frozenset(one.info.name for one in self.strategies.values() if one.info.role is Role.REPAIR)


def strategies_of(wanted: Sequence[str], *, own_answers: bool = False) -> dict[str, Strategy]:
    """Strategies by name; where none is named, all that are installed and can work.

    Args:
        wanted: Names.
        own_answers: Whether there are answers of the audited model to work with.

    Raises:
        InputError: A name is unknown, or its strategy lacks what it works with.
    """
    known = names(STRATEGIES)
    if unknown := sorted(set(wanted) - set(known)):
        raise InputError(f"--strategy {unknown[0]}: unknown; accepted: {', '.join(sorted(known))}")
    found: dict[str, Strategy] = {name: load(STRATEGIES, name)() for name in sorted(wanted or known)}
    lacking = [name for name in found if found[name].info.own_answers and not own_answers]
    if wanted and lacking:
        raise InputError(f"--strategy {lacking[0]}: needs --own-answers FOLDER")
    able = {name: strategy for name, strategy in found.items() if name not in lacking}
    replaced = set() if wanted else {strategy.info.instead_of for strategy in able.values()}
    return {name: strategy for name, strategy in able.items() if name not in replaced}


def answer(
    findings: Sequence[Finding], options: RetrainingOptions, own: OwnAnswers | None = None
) -> Answered:
    """Asks every strategy about every finding.

    Args:
        findings: All findings of an audit.
        options: Which strategies, and what is held out: a finding about that is not repaired.
        own: What the audited model answered to fresh cases.

    Raises:
        InputError: A strategy, rewrite or technique that is held out is unknown.
    """
    strategies = strategies_of(options.strategies, own_answers=own is not None)
    held_out = HeldOut(options.holdout)
    _refuse_unknown(options.holdout.get("technique", ()), findings)
    rewrites = _rewrites(options, held_out)
    cells: dict[str, dict[Cell, list[str]]] = defaultdict(lambda: defaultdict(list))
    left_out = []
    for finding in sorted(findings, key=lambda found: found.id):
        told = {name: strategy.cells(finding) for name, strategy in strategies.items()}
        reason = _touched(finding, held_out) or _not_repaired(told, strategies)
        if reason is not None:
            left_out.append(f"{finding.id}: {reason}")
            continue
        # What stands beside a repair has no place where nothing is repaired.
        for name, found in told.items():
            for cell in () if isinstance(found, str) else found:
                for one in (cell, *_rewritten(cell, rewrites)):
                    cells[name][one].append(finding.id)
    return Answered(
        cells={name: _merged(cells[name]) for name in sorted(cells)},
        left_out=tuple(left_out),
        strategies=strategies,
        held_out=held_out,
        own=own,
    )


def candidates(answered: Answered, options: RetrainingOptions) -> Iterator[Example]:
    """Candidates of every cell, before the gates, `max_examples` at most.

    Every cell of a repair gets an equal share; what one cannot use goes to those after it. Of the shares of
    safety findings `contrast_share` goes to their contrasts, of those of decisions `replay_share` to replay.
    Where the user has a file of ordinary rows, that share of all goes to these, before anything else.
    Sets are whole, so the number may stay a little below the maximum.

    Args:
        answered: What `answer` gave.
        options: How many, and with which seed.

    Yields:
        Examples, cell by cell; the same arguments give the same examples.
    """
    making = Making(options=options, held_out=answered.held_out, own=answered.own)
    ordinary = _ordinary(options)
    if ordinary is not None:
        options = options.model_copy(update={"max_examples": options.max_examples - len(ordinary)})
        yield from ordinary.examples()
    repairs, contrasts = answered.of(Role.REPAIR), answered.of(Role.CONTRAST)
    plain = [entry for entry in repairs if not entry[1].attribute]
    grouped = [entry for entry in repairs if entry[1].attribute]
    share = options.max_examples * len(plain) // max(1, len(repairs))
    against = round(share * options.contrast_share) if contrasts else 0
    left = options.max_examples
    for entries, budget in ((plain, share - against), (contrasts, against)):
        for example in _shared(entries, budget, making):
            left -= 1
            yield example
    replays = [] if ordinary is not None else answered.of(Role.REPLAY)
    kept = round(left * options.replay_share) if replays else 0
    yield from _shared(grouped, left - kept, making)
    for place, (strategy, cell, ids) in enumerate(replays):
        own = kept // len(replays) + (1 if place < kept % len(replays) else 0)
        yield from strategy.examples(cell, ids, own, making)


def _ordinary(options: RetrainingOptions) -> OrdinaryRows | None:
    if options.replay is None:
        return None
    return OrdinaryRows(options.replay, round(options.max_examples * options.replay_share), options)


def _shared(entries: Sequence[_Entry], budget: int, making: Making) -> Iterator[Example]:
    """Examples of several cells: an equal share each, and what one cannot use for those after it."""
    for place, (strategy, cell, ids) in enumerate(entries):
        for example in strategy.examples(cell, ids, budget // (len(entries) - place), making):
            budget -= 1
            yield example


def _refuse_unknown(techniques: Sequence[str], findings: Sequence[Finding]) -> None:
    """Refuses to hold out a technique that no transform and no finding has: the files would hold it."""
    known = {*names(TRANSFORMS), *(one.estimate.technique for one in findings if one.estimate.technique)}
    for name in techniques:
        if name not in known:
            raise InputError(f"--holdout technique={name}: unknown; accepted: {', '.join(sorted(known))}")


def _rewrites(options: RetrainingOptions, held_out: HeldOut) -> tuple[str, ...]:
    known = names(TRANSFORMS)
    for name in options.rewrites:
        if name not in known:
            raise InputError(f"--rewrite {name}: unknown; accepted: {', '.join(sorted(known))}")
        if held_out.holds("technique", name):
            raise InputError(f"--rewrite {name}: is held out by --holdout technique={name}")
    return tuple(dict.fromkeys(options.rewrites))


def _rewritten(cell: Cell, rewrites: Sequence[str]) -> Iterator[Cell]:
    """The cell under further techniques; none for one that knows no technique, as of decisions."""
    for technique in rewrites if cell.technique else ():
        yield replace(cell, technique=technique)


def _touched(finding: Finding, held_out: HeldOut) -> str | None:
    estimate = finding.estimate
    for key in ("attribute", "group", "domain", "technique"):
        value = getattr(estimate, key)
        for part in (value, *value.split("*")) if isinstance(value, str) else ():
            if held_out.holds(key, part):
                return f"{key} {part} is held out"
    return None


def _not_repaired(
    told: Mapping[str, tuple[Cell, ...] | str], strategies: Mapping[str, Strategy]
) -> str | None:
    """Why no repair answers a finding; None: one does."""
    repairs = [found for name, found in told.items() if strategies[name].info.role is Role.REPAIR]
    if any(not isinstance(found, str) for found in repairs):
        return None
    reasons = dict.fromkeys(found for found in repairs if isinstance(found, str))
    return "; ".join(reasons) or "no strategy that repairs was asked for"


def _merged(cells: Mapping[Cell, Sequence[str]]) -> _Cells:
    """Cells in order; one of a single category joins that of all categories, whose material holds its own."""
    found: dict[Cell, set[str]] = defaultdict(set)
    for cell, ids in cells.items():
        whole = Cell(probe=cell.probe, domain="all", technique=cell.technique)
        found[whole if cell.technique and whole in cells else cell].update(ids)
    return {cell: tuple(sorted(found[cell])) for cell in sorted(found)}
