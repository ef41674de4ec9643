"""Prices are those of the spec or of a dated table, and never a guess."""

from decimal import Decimal

import pytest
from genai_prices import Usage, calc_price
from hypothesis import given
from hypothesis import strategies as st

from audit.collection.prices import Price, find_price
from audit.limits import GivenPrice
from audit.targets.base import TargetInfo

OPENAI = "https://api.openai.com/v1"


@given(st.integers(0, 10**6), st.integers(0, 10**6), st.sampled_from(["gpt-4o-mini", "gemini-2.5-pro"]))
def test_a_price_is_that_of_the_table(prompt: int, completion: int, model: str) -> None:
    """Adding up the price of single tokens gives what the table says, also where long prompts cost more."""
    usage = Usage(input_tokens=prompt, output_tokens=completion)
    assert Price(model, None).usd(prompt, completion) == calc_price(usage, model).total_price


def test_many_outputs_cost_what_each_costs() -> None:
    """The total is over every output, and a fine-tuned model has the price of its base."""
    price = Price("ft:gpt-4o-mini:me::1", OPENAI)
    assert price.total([(1000, 10, 3), (0, 1, 1)]) == 3 * price.usd(1000, 10) + price.usd(0, 1)
    assert price.source.startswith("genai-prices ")


def test_a_price_of_the_spec_goes_first() -> None:
    """What the user says holds, for models that no table knows too, and its date is told."""
    said = GivenPrice(input_per_million=0.1, output_per_million=2, as_of="2026-11-01")
    info = TargetInfo(name="target", deterministic=True, facts={"model": "mine"})
    price = find_price(info, said)
    assert price is not None
    assert price.usd(10, 5) == Decimal("0.000011")
    assert price.source == "the spec, as of 2026-11-01"


@pytest.mark.parametrize("facts", [{}, {"model": "mine", "base_url": OPENAI}])
def test_an_unknown_price_is_none(facts: dict[str, str]) -> None:
    """Where nothing is known there is no price, and no 0."""
    info = TargetInfo(name="target", deterministic=True, hosts=("api.openai.com:443",), facts=facts)
    assert find_price(info) is None
