"""Energy is the published estimate for the model and server that answered, as a range, or unknown."""

import pytest

from audit.collection.energy import find_energy
from audit.targets.base import TargetInfo

pytest.importorskip("ecologits")


def info(model: str, address: str) -> TargetInfo:
    """A target of a model at an address."""
    return TargetInfo(name="target", deterministic=False, facts={"model": model, "base_url": address})


def test_energy_is_that_of_the_table() -> None:
    """The range is ecologits' own, grows with the reply, and is not told by a word on standard error."""
    from ecologits.tracers.utils import llm_impacts  # noqa: PLC0415 - an extra

    energy = find_energy(info("ft:gpt-4o-mini:me::1", "https://api.openai.com/v1"))
    assert energy is not None
    low, high = energy.kwh(200, 1.24)
    own = llm_impacts("openai", "gpt-4o-mini", 200, 1.2).energy
    assert own is not None
    assert (low, high) == (own.value.min, own.value.max)  # type: ignore[union-attr, unused-ignore] # a range where sizes are estimates
    assert 0 < low < high < energy.kwh(2000, 1.2)[0]
    assert energy.source.startswith("ecologits ")


@pytest.mark.parametrize(
    ("model", "address"),
    [
        ("gpt-4o-mini", "http://127.0.0.1:8000/v1"),
        ("mine", "https://api.openai.com/v1"),
        ("gpt-4o-mini", "https://api.openai.com.example.org/v1"),
    ],
)
def test_another_server_or_model_is_unknown(model: str, address: str) -> None:
    """A known model on an unknown machine, and an unknown model, have no estimate."""
    assert find_energy(info(model, address)) is None
