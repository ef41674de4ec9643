"""A small logistic model of the chance of a favourable decision, learned from texts.

It starts from nothing or from an earlier model. Saved as `model.json` and `weights.npz`: no pickle,
so loading one runs no code.
"""

import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
from scipy.optimize import minimize
from scipy.special import expit

from audit.atomic import write_bytes, write_text
from audit.errors import InputError
from audit.targets.trainable.features import WIDTH, Reading, Scales, fit_scales, matrix, read
from probes.data import file_sha256

__all__ = ["MODEL", "DecisionModel", "fit", "fit_more", "load", "save"]

MODEL = "model.json"
"""The file of a saved model that speaks for the others."""
_FORMAT = "evenhand decision model 1"
_Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionModel:
    """Weights of a logistic model over the features of `audit.targets.trainable.features`."""

    weights: _Floats
    """Shape (WIDTH + number of scales,)."""
    intercept: float
    """Log-odds of a text without a known word."""
    scales: Scales
    """What the model knows about numbers."""

    def log_odds(self, texts: Sequence[str]) -> _Floats:
        """Log-odds of a favourable decision for each text, shape (n_texts,)."""
        if not texts:
            return np.zeros(0)
        return self._of_readings([read(text) for text in texts])

    def probability(self, texts: Sequence[str]) -> _Floats:
        """Chance of a favourable decision for each text, shape (n_texts,), in [0, 1]."""
        return np.asarray(expit(self.log_odds(texts)), dtype=np.float64)

    def _of_readings(self, readings: Sequence[Reading]) -> _Floats:
        return np.asarray(matrix(readings, self.scales) @ self.weights + self.intercept, dtype=np.float64)


def fit(texts: Sequence[str], favourable: Sequence[bool], *, penalty: float = 2.0) -> DecisionModel:
    """A model learned from nothing.

    Args:
        texts: Training texts.
        favourable: Decision for each text.
        penalty: Weight of the squared distance from 0, above 0.

    Returns:
        The model that minimises log loss (summed) plus penalty / 2 times squared length of the weights.

    Raises:
        InputError: There are no texts, or all decisions are the same.
    """
    _check(texts, favourable)
    readings = [read(text) for text in texts]
    scales = fit_scales(readings)
    start = np.zeros(WIDTH + len(scales) + 1)
    return _minimise(readings, favourable, scales, start, penalty)


def fit_more(
    model: DecisionModel,
    texts: Sequence[str],
    favourable: Sequence[bool],
    *,
    pull: float,
    sets: Sequence[str | None] = (),
    pairing: float = 0.0,
) -> DecisionModel:
    """The model trained further, held near what it was.

    Starts at the present weights and pays for the squared distance from them, not from 0: what the
    new texts do not speak of stays as it was. Scales of numbers stay as they are.

    Args:
        model: The present model.
        texts: New texts.
        favourable: Decision for each.
        pull: Weight of the squared distance from the present weights, above 0.
        sets: The counterfactual set of each text, None for a text alone; empty if all are.
        pairing: Weight of how far the members of a set lie apart, at least 0.

    Returns:
        A new model that minimises log loss (summed) plus pull / 2 times squared distance plus pairing / 2
        times the squared distance of each member's log-odds from the mean of its set (summed).

    Raises:
        InputError: There are no texts, or all decisions are the same.

    Source:
        Ridge to a prior mean: the Gaussian-prior adaptation of Chelba & Acero (2006), Computer Speech
        & Language 20:382-399. Log-odds of a set held together: counterfactual logit pairing, Garg et al.
        (2019), AIES, with squared in place of absolute distances, since the minimum is then unique.
    """
    _check(texts, favourable)
    start = np.append(model.weights, model.intercept)
    readings = [read(text) for text in texts]
    apart = None if not pairing else _Apart(sets, pairing)
    return _minimise(readings, favourable, model.scales, start, pull, apart)


def save(model: DecisionModel, folder: Path) -> None:
    """Writes `model.json` and `weights.npz` into a folder, made if need be; same model, same bytes."""
    used = np.flatnonzero(model.weights)
    arrays = io.BytesIO()
    np.savez_compressed(arrays, columns=used.astype(np.int64), values=model.weights[used])
    write_bytes(folder / "weights.npz", arrays.getvalue())
    facts = {
        "format": _FORMAT,
        "width": WIDTH,
        "intercept": model.intercept,
        "scales": {word: list(scale) for word, scale in sorted(model.scales.items())},
        "weights_sha256": file_sha256(folder / "weights.npz"),
    }
    write_text(folder / MODEL, json.dumps(facts, indent=1, sort_keys=True) + "\n")


def load(folder: Path) -> DecisionModel:
    """The model that `save` wrote into a folder.

    Raises:
        InputError: A file is missing, damaged, or of another format.
    """
    facts_path, weights_path = folder / MODEL, folder / "weights.npz"
    for path in (facts_path, weights_path):
        if not path.is_file():
            raise InputError(
                f"{path}: no such file; a trainable model is a folder with model.json and weights.npz"
            )
    try:
        facts = json.loads(facts_path.read_text(encoding="utf-8"))
        if facts["format"] != _FORMAT or facts["width"] != WIDTH:
            raise InputError(f"{facts_path}: format is {facts['format']!r}; accepted: {_FORMAT!r}")
        if facts["weights_sha256"] != file_sha256(weights_path):
            raise InputError(
                f"{weights_path}: checksum differs from model.json: the file was changed or damaged"
            )
        scales = {
            word: (float(mean), float(spread)) for word, (mean, spread) in sorted(facts["scales"].items())
        }
        weights = np.zeros(WIDTH + len(scales))
        with np.load(weights_path, allow_pickle=False) as arrays:
            weights[arrays["columns"]] = arrays["values"]
        return DecisionModel(weights=weights, intercept=float(facts["intercept"]), scales=scales)
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise InputError(f"{facts_path}: not a trainable model: {error!r}") from error


def _check(texts: Sequence[str], favourable: Sequence[bool]) -> None:
    if len(texts) != len(favourable):
        raise ValueError(f"{len(texts)} texts but {len(favourable)} decisions")
    if len(set(favourable)) != 2:  # noqa: PLR2004 - a decision has two outcomes
        found = f"{sum(favourable)} favourable of {len(texts)}"
        raise InputError(f"training needs favourable and unfavourable decisions; got {found}")


class _Apart:
    """What it costs that the members of counterfactual sets are told different things."""

    def __init__(self, sets: Sequence[str | None], weight: float) -> None:
        numbers: dict[str, int] = {}
        self._rows = np.array([row for row, name in enumerate(sets) if name is not None], dtype=np.int64)
        self._set = np.array(
            [numbers.setdefault(name, len(numbers)) for name in sets if name is not None], dtype=np.int64
        )
        self._sizes = np.bincount(self._set, minlength=len(numbers))
        self._weight = weight

    def of(self, log_odds: _Floats) -> tuple[float, _Floats]:
        """The cost and its slopes by text, shape (n_texts,)."""
        slopes = np.zeros_like(log_odds)
        if not len(self._rows):
            return 0.0, slopes
        members = log_odds[self._rows]
        distances = members - (np.bincount(self._set, weights=members) / self._sizes)[self._set]
        slopes[self._rows] = self._weight * distances  # The means' own slopes cancel within a set.
        return self._weight / 2 * float(distances @ distances), slopes


def _minimise(
    readings: Sequence[Reading],
    favourable: Sequence[bool],
    scales: Scales,
    start: _Floats,
    penalty: float,
    apart: _Apart | None = None,
) -> DecisionModel:
    inputs = matrix(readings, scales)
    # Columns that no text has cannot move: leaving them out makes the search 20 times smaller.
    used = np.unique(inputs.indices)
    small = sp.csr_matrix(inputs[:, used])
    signs = np.where(np.asarray(favourable), 1.0, -1.0)
    origin = np.append(start[:-1][used], start[-1])

    def loss(point: _Floats) -> tuple[float, _Floats]:
        log_odds = small @ point[:-1] + point[-1]
        margins = signs * log_odds
        moved = point - origin
        # The intercept is held more loosely: it says how often, not for whom.
        moved[-1] *= 0.1
        slopes = -signs * expit(-margins)
        value = np.logaddexp(0.0, -margins).sum() + penalty / 2 * float(moved @ (point - origin))
        if apart is not None:
            cost, pairing = apart.of(log_odds)
            value, slopes = value + cost, slopes + pairing
        gradient = np.append(small.T @ slopes, slopes.sum()) + penalty * moved
        return float(value), gradient

    found = minimize(loss, origin, jac=True, method="L-BFGS-B", options={"maxiter": 300})
    weights = start[:-1].copy()
    weights[used] = found.x[:-1]
    return DecisionModel(weights=weights, intercept=float(found.x[-1]), scales=dict(scales))
