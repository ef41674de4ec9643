"""What was built for a name is kept as long as it is used, and closed once when it makes room."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest

from audit.records import Output, Request
from audit.serving.api_errors import ApiError
from audit.serving.catalogue import Served
from audit.serving.models import Asked, Models, ModelsOptions
from audit.targets.base import TargetInfo
from probes.base import Options as PluginOptions

KEPT = 256


class Closing:
    """A target that counts how often it is closed."""

    info = TargetInfo(name="closing", deterministic=True)

    def __init__(self) -> None:
        """It is open."""
        self.closed = 0

    @classmethod
    def secret_names(cls, options: PluginOptions) -> tuple[str, ...]:  # noqa: ARG003 - the seam asks for it
        """None."""
        return ()

    async def generate(self, requests: Sequence[Request], *, seed: int) -> Sequence[Output]:
        """Nothing."""
        del requests, seed
        return []

    async def aclose(self) -> None:
        """Count it."""
        self.closed += 1


class Counted(Models):
    """Models whose targets are counted."""

    def __init__(self, folder: Path) -> None:
        """Nothing was built yet."""
        self.built: list[Closing] = []
        super().__init__(
            ModelsOptions(
                root=folder,
                lender=folder / "lender",
                train_lender=lambda _: None,
                clock=lambda: 0.0,
                declared={},
                secrets={},
            )
        )

    def _build(self, target: object) -> Asked:
        del target
        self.built.append(Closing())
        return Asked(target=self.built[-1], free=asyncio.Semaphore(1))


def variant(models: Models, number: int) -> Served:
    """A model of its own name."""
    return models.find(f"specimen?empty_rate=0.{number:04d}1")


async def _ask(models: Models, served: Served) -> None:
    async with models.asked(served, None):
        pass


def test_what_makes_room_is_closed_once_and_not_while_it_answers(tmp_path: Path) -> None:
    """A dropped target is closed when the last call lets it go, and all are closed with the server."""

    async def scene() -> None:
        models = Counted(tmp_path)
        async with models.asked(variant(models, 0), None):
            for number in range(1, KEPT + 20):
                await _ask(models, variant(models, number))
            assert models.built[0].closed == 0
            assert [one.closed for one in models.built[1:20]] == [1] * 19
        assert models.built[0].closed == 1
        await models.aclose()
        assert {one.closed for one in models.built} == {1}

    asyncio.run(scene())


def test_what_is_asked_again_and_again_is_kept(tmp_path: Path) -> None:
    """The one not asked for longest makes room, whenever it was built."""

    async def scene() -> None:
        models = Counted(tmp_path)
        for number in range(KEPT + 50):
            await _ask(models, variant(models, 0))
            await _ask(models, variant(models, number + 1))
        assert models.built[0].closed == 0
        await models.aclose()

    asyncio.run(scene())


def test_an_allowance_is_not_renewed_by_other_names(tmp_path: Path) -> None:
    """Names without limits take no room among those with limits."""
    models = Counted(tmp_path)
    metered = models.find("faulty-metered")
    for _ in range(60):
        models.budget(metered).spend(1)
    for number in range(KEPT + 50):
        models.budget(variant(models, number)).spend(1)
    with pytest.raises(ApiError, match="Rate limit"):
        models.budget(metered).spend(1)
