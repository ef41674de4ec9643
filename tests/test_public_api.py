"""What programs can rely on: entry points, the functions of `audit.api`, and the error trees."""

import inspect
import subprocess
import sys
from importlib.metadata import entry_points

import pytest

import audit
import probes.errors
from audit import api, errors
from probes.plugins import load

GROUPS = (
    "evenhand.probes",
    "evenhand.transforms",
    "evenhand.targets",
    "evenhand.analyzers",
    "evenhand.trainers",
)


SLOW_TO_LOAD = (
    "fairlearn",
    "litellm",
    "matplotlib",
    "openai",
    "scipy.optimize",
    "scipy.stats",
    "sklearn",
    "torch",
    "transformers",
)


def test_what_is_slow_to_load_is_loaded_when_asked_only() -> None:
    """A command that neither estimates, draws nor calls a model does not wait for the libraries of those."""
    program = f"import sys, audit.api; print(sorted({set(SLOW_TO_LOAD)!r} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("group", GROUPS)
def test_every_entry_point_of_ours_loads(group: str) -> None:
    """Each registered plug-in is a class with what its seam asks for."""
    points = [point for point in entry_points(group=group) if point.dist and point.dist.name == "evenhand"]
    assert points
    for point in points:
        plugin = load(group, point.name)
        assert inspect.getdoc(plugin)
        if group != "evenhand.transforms":
            assert hasattr(plugin, "Options")


def test_info_carries_the_name_it_is_registered_under() -> None:
    """The name in a spec, in the store and in the report is one name."""
    for group in ("evenhand.probes", "evenhand.analyzers"):
        for point in entry_points(group=group):
            info = getattr(load(group, point.name), "info", None)
            assert getattr(info, "name", None) == point.name
            assert getattr(info, "version", None)


def test_api_offers_what_it_lists_with_a_docstring() -> None:
    """Every name of `audit.api` is there and documented."""
    for name in api.__all__:
        assert inspect.getdoc(getattr(api, name)), name


def test_exit_codes_are_those_of_the_documentation() -> None:
    """Configuration 2, incomplete 3, budget 4; nothing else."""
    codes = {name: getattr(errors, name).exit_code for name in errors.__all__}
    assert codes == {
        "AuditError": 2,
        "BatchesWaitingError": 3,
        "BudgetReachedError": 4,
        "ExtraMissingError": 2,
        "IncompleteError": 3,
        "InputError": 2,
        "NotMeasuredError": 3,
        "NothingToRepairError": 2,
        "SpecError": 2,
        "StoreError": 2,
        "TargetUnreachableError": 2,
    }


def test_error_trees_are_drawn_where_they_are_defined() -> None:
    """Each error has one parent tree, and the drawing in the module names it."""
    for module, root in ((errors, errors.AuditError), (probes.errors, probes.errors.ProbeError)):
        for name in module.__all__:
            assert issubclass(getattr(module, name), root)
            assert name in (module.__doc__ or "")


def test_error_keeps_its_next_step_apart() -> None:
    """What to type next is no part of the message."""
    error = errors.InputError("file: is missing", next_step="evenhand init")
    assert (str(error), error.next_step) == ("file: is missing", "evenhand init")
    assert errors.InputError("x").next_step is None


def test_version_is_that_of_the_package() -> None:
    """The version is stated once and known to programs."""
    assert audit.__version__.count(".") == 2
