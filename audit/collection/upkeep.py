"""What is kept beside the outputs now and then, so that going on with a run starts at once."""

from collections.abc import Mapping

from audit.collection.use import UseCounter
from audit.limits import GivenPrice
from audit.store.order import keep_asked, order_seed
from audit.store.store import Store
from audit.targets.base import TargetInfo

__all__ = ["Upkeep"]

_PLACES_EVERY = 1024
"""Outputs after which the place up to which everything was asked is moved on."""
_PAGES = 8
_USES_EVERY = 8192
"""Outputs after which what they took is added up."""


class Upkeep:
    """Moves on what is kept, in the thread that writes the store.

    What is kept can be worked out from the outputs at any time, so nothing depends on when it is moved on.
    """

    def __init__(
        self,
        store: Store,
        targets: Mapping[str, TargetInfo],
        prices: Mapping[str, GivenPrice | None],
        *,
        repeats: int,
        seed: int,
    ) -> None:
        """Nothing is written yet.

        Args:
            store: The run's store, open for writing.
            targets: What is asked, by name.
            prices: Prices that the spec gives, by the same names.
            repeats: Outputs a prompt.
            seed: Root seed.
        """
        self._store = store
        self._names = sorted(targets)
        self._uses = UseCounter(targets, prices)
        self._repeats = repeats
        self._order = order_seed(seed)
        self._since_places = self._since_uses = 0

    def stored(self, outputs: int) -> None:
        """Note that outputs are durable, and move on what is kept if it is time.

        Raises:
            StoreError: The disk refuses.
        """
        self._since_places += outputs
        self._since_uses += outputs
        if self._since_places >= _PLACES_EVERY:
            self._since_places = 0
            self._keep_places()
        if self._since_uses >= _USES_EVERY:
            self._since_uses = 0
            self._keep_uses()

    def finish(self) -> None:
        """Move on what is kept if anything was stored.

        Raises:
            StoreError: The disk refuses.
        """
        if self._since_places:
            self._keep_places()
        if self._since_uses:
            self._keep_uses()

    def _keep_places(self) -> None:
        with self._store.transaction() as connection:
            keep_asked(connection, self._names, self._repeats, self._order, _PAGES)

    def _keep_uses(self) -> None:
        with self._store.transaction() as connection:
            self._uses.keep(connection)
