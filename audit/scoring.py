"""Scoring: every analyzer reads every output it has not read yet. No model under audit is called."""

import logging
from collections.abc import Callable, Iterator, Sequence

from audit.analyzers.base import Analyzer, Surveyor
from audit.records import Exchange
from audit.store.store import Store

__all__ = ["score_outputs"]

_NO_VERSION = ""
"""A version that no analyzer has: every text is still to be read by it."""

_log = logging.getLogger(__name__)


def score_outputs(
    store: Store, analyzers: Sequence[Analyzer], *, progress: Callable[[str, int], None] | None = None
) -> int:
    """Score what is unscored, analyzer by analyzer, in batches that are durable one by one.

    Killed half-way, the next call goes on where this one stopped. Scores of an older version of an
    analyzer are replaced.

    Args:
        store: The run's store, open for writing.
        analyzers: The analyzers, ready to score.
        progress: Called after each batch with the analyzer's name and how many outputs it has read.

    Returns:
        How many outputs were read, counted once an analyzer.
    """
    total = 0
    for analyzer in analyzers:
        info = analyzer.info
        done = 0
        for batch in _to_read(store, analyzer):
            scores = analyzer.score(batch)
            store.add_scores(info.name, info.version, [exchange.output for exchange in batch], scores)
            done += len(batch)
            if progress is not None:
                progress(info.name, done)
        _log.debug("%s read %d outputs", info.name, done)
        total += done
    return total


def _to_read(store: Store, analyzer: Analyzer) -> Iterator[list[Exchange]]:
    """What an analyzer has to read: what it has not read yet, or all of a target after a survey of it."""
    info = analyzer.info
    if not isinstance(analyzer, Surveyor):
        yield from store.exchanges(info.name, info.version)
        return
    for target in store.targets():
        if next(store.exchanges(info.name, info.version, target), None) is None:
            continue
        analyzer.survey(store.exchanges(info.name, _NO_VERSION, target))
        yield from store.exchanges(info.name, _NO_VERSION, target)
