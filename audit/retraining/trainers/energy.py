"""How much electricity a training on this machine took: codecarbon's estimate, where it is installed.

It reads the counters of processor and graphics card where the machine has them and lets them be read, and
otherwise takes the processor's rated power by its load; what was read is in the source.

Source: CodeCarbon, https://doi.org/10.5281/zenodo.4658424 (the library and its methodology).
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from codecarbon import OfflineEmissionsTracker

__all__ = ["Metered", "metered"]

_LOGGER = logging.getLogger(__name__)
_LIBRARY = "codecarbon"
_COUNTRY = "USA"
"""Asked for by the library, for emissions; no energy depends on it and none is stated for a country."""


@dataclass(slots=True)
class Metered:
    """What was metered, once the block has ended."""

    kwh: float | None = None
    """An estimate; None: the library is not installed, or it failed."""
    source: str | None = None
    """Library with its version, and by what it knew each part of the machine."""


@contextmanager
def metered() -> Iterator[Metered]:
    """Meters the electricity of what happens in the block, of this process where it can be told apart.

    Nothing is written or sent, and a meter that fails costs no training.
    """
    found = Metered()
    tracker = _started()
    try:
        yield found
    finally:
        if tracker is not None:
            _read(tracker, found)


def _started() -> "OfflineEmissionsTracker | None":
    if find_spec(_LIBRARY) is None:
        return None
    logging.getLogger(_LIBRARY).disabled = True  # it writes to handlers of its own
    try:
        from codecarbon import OfflineEmissionsTracker  # noqa: PLC0415 - an extra

        tracker = OfflineEmissionsTracker(
            country_iso_code=_COUNTRY,
            tracking_mode="process",
            log_level="critical",
            allow_multiple_runs=True,
            output_methods=[],
        )
        tracker.start()
    except Exception:
        _LOGGER.debug("no energy is metered", exc_info=True)
        return None
    return tracker


def _read(tracker: "OfflineEmissionsTracker", found: Metered) -> None:
    try:
        tracker.stop()
        kwh = float(tracker.final_emissions_data.energy_consumed)
        parts = [_part(one) for one in tracker._hardware]  # noqa: SLF001 - how it measured stands nowhere else
    except Exception:
        _LOGGER.debug("the energy metered cannot be read", exc_info=True)
        return
    found.kwh, found.source = kwh, f"codecarbon {version(_LIBRARY)}, an estimate: {', '.join(sorted(parts))}"


def _part(hardware: object) -> str:
    """Name of a part with how its power is known, such as `CPU by cpu_load`."""
    name = type(hardware).__name__
    mode = getattr(hardware, "_mode", None)
    return name if mode is None else f"{name} by {mode}"
