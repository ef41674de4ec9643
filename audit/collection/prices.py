"""What a model's tokens cost: as the spec says, else as a price table says (offline, dated)."""

from collections.abc import Iterable
from decimal import Decimal

from audit.limits import GivenPrice
from audit.targets.base import TargetInfo

__all__ = ["Price", "find_price"]

_MILLION = 1_000_000
_FEW = 1000


class Price:
    """What one model's tokens cost, in US dollars."""

    def __init__(self, model: str, address: str | None, *, given: GivenPrice | None = None) -> None:
        """Look a model up.

        Args:
            model: Its name; a fine-tuned one (`ft:base:…`) has the price of its base model, the
                nearest that is published.
            address: The endpoint's base URL; None to go by the model's name alone.
            given: What the spec says; it goes before the table.

        Raises:
            LookupError: The table has no such model at this provider.
        """
        self._model = model.split(":")[1] if model.startswith("ft:") else model
        self._address = address
        if given is None:
            from genai_prices import __version__  # noqa: PLC0415 - a second of import, only where money counts

            self.source = f"genai-prices {__version__}"
            self._each = self._flat()
        else:
            self.source = f"the spec, as of {given.as_of.isoformat()}"
            self._each = (
                Decimal(str(given.input_per_million)) / _MILLION,
                Decimal(str(given.output_per_million)) / _MILLION,
            )

    def usd(self, prompt_tokens: int, completion_tokens: int) -> Decimal:
        """Price of one output."""
        if self._each is None:
            return self._looked_up(prompt_tokens, completion_tokens)
        return prompt_tokens * self._each[0] + completion_tokens * self._each[1]

    def total(self, sizes: Iterable[tuple[int, int, int]]) -> Decimal:
        """Price of many outputs.

        Args:
            sizes: Prompt tokens, completion tokens, and how many outputs have that size.
        """
        return sum((number * self.usd(sent, came) for sent, came, number in sizes), Decimal(0))

    def _looked_up(self, prompt_tokens: int, completion_tokens: int) -> Decimal:
        from genai_prices import Usage, calc_price  # noqa: PLC0415 - a second of import, only where money counts

        usage = Usage(input_tokens=prompt_tokens, output_tokens=completion_tokens)
        return calc_price(usage, self._model, provider_api_url=self._address).total_price

    def _flat(self) -> tuple[Decimal, Decimal] | None:
        """Price of one prompt and one reply token; None if it depends on how long a prompt is."""
        sent, came = self._looked_up(_MILLION, 0), self._looked_up(0, _MILLION)
        few = self._looked_up(_FEW, _FEW)
        return (sent / _MILLION, came / _MILLION) if few * _FEW == sent + came else None


def find_price(info: TargetInfo, given: GivenPrice | None = None) -> Price | None:
    """The price of what a target's facts name (`model`, and `base_url` if it has one); None if unknown.

    Args:
        info: The target; without a host only a given price holds.
        given: What the spec says of it.
    """
    model = info.facts.get("model", "")
    if given is None and (not model or not info.hosts):
        return None
    try:
        return Price(model, info.facts.get("base_url"), given=given)
    except LookupError:
        return None
