"""Supervised fine-tuning in which the members of a counterfactual set are held together.

The likelihood of right answers alone is content once each member is likely to get its right one; what is left
between the members is what an audit finds. So whole sets come in one batch, and the log-likelihood of the
answer is pulled towards its mean over the set, as in counterfactual logit pairing (Garg et al. 2019, AIES),
with squared in place of absolute distances.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch.utils.data import DataLoader
from trl import SFTTrainer

from probes.seeds import rng

__all__ = ["ALONE", "SET", "SetBatches", "SetTrainer", "answer_likelihoods", "apart"]

SET = "set_number"
"""Column of the dataset: rows with the same number are members of one set."""
ALONE = -1
"""Number of a row that is of no set."""
_IGNORED = -100
"""Label of a token that is not to be learned."""


class SetTrainer(SFTTrainer):
    """TRL's trainer, with whole sets in one batch and a cost for what lies between their members."""

    def __init__(self, *, pairing: float, order_seed: int, **given: Any) -> None:
        """Take what TRL's trainer takes, and how to hold sets together.

        Args:
            pairing: Weight of the mean squared distance of log-likelihoods from their set's mean, in nats².
            order_seed: Seed of the order of sets.
            given: As of `SFTTrainer`; the dataset has the column `SET`.
        """
        super().__init__(**given)
        self._pairing = pairing
        self._order_seed = order_seed
        self._collate = self.data_collator
        self.data_collator = self._with_sets

    def _with_sets(self, rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
        numbers = [int(row[SET]) for row in rows]
        batch: dict[str, Any] = self._collate([{k: v for k, v in row.items() if k != SET} for row in rows])
        return {**batch, SET: torch.tensor(numbers)}

    def _set_signature_columns_if_needed(self) -> None:
        super()._set_signature_columns_if_needed()  # type: ignore[no-untyped-call] # as below
        known: list[str] = self._signature_columns or []
        self._signature_columns: Any = known if SET in known else [*known, SET]

    def get_train_dataloader(self) -> DataLoader[Any]:
        """Batches of whole sets, in another order in every epoch."""
        self._set_signature_columns_if_needed()
        whole: Any = self.train_dataset
        dataset = whole.select_columns([one for one in whole.column_names if one in self._signature_columns])
        batches = SetBatches(dataset[SET], self.args.per_device_train_batch_size, self._order_seed)
        made: DataLoader[Any] = self.accelerator.prepare(
            DataLoader(dataset, batch_sampler=batches, collate_fn=self.data_collator)
        )
        return made

    def compute_loss(
        self, model: Any, inputs: dict[str, Any], return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> Any:
        """The loss of supervised fine-tuning, and what lies between the members of sets."""
        sets, labels = inputs.pop(SET), inputs["labels"]
        outputs = model(
            **{name: value for name, value in inputs.items() if name != "labels"}, use_cache=False
        )
        likelihoods = answer_likelihoods(outputs.logits, labels)
        tokens = (labels[:, 1:] != _IGNORED).sum() if num_items_in_batch is None else num_items_in_batch
        loss = -likelihoods.sum() / torch.as_tensor(tokens).clamp(min=1)
        loss = loss + self._pairing * apart(likelihoods, sets) / self.current_gradient_accumulation_steps
        return (loss, outputs) if return_outputs else loss


def answer_likelihoods(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Log-likelihood of each row's answer given its prompt, in nats, shape (rows,).

    Args:
        logits: Of the whole rows, shape (rows, tokens, vocabulary).
        labels: Token at each place of an answer, -100 elsewhere; shape (rows, tokens).
    """
    said = labels[:, 1:]
    answered = said != _IGNORED
    # Only the places of answers: the softmax over all would take as much room again as the logits.
    each = torch.log_softmax(logits[:, :-1][answered].float(), dim=-1)
    each = each.gather(1, said[answered].unsqueeze(1)).squeeze(1)
    rows = answered.nonzero()[:, 0]
    return torch.zeros(len(labels), dtype=each.dtype, device=each.device).index_add(0, rows, each)


def apart(values: torch.Tensor, sets: torch.Tensor) -> torch.Tensor:
    """Mean squared distance of values from the mean of their set; 0 where nothing is of a set.

    Args:
        values: Shape (n,).
        sets: Number of the set of each, `ALONE` for none; shape (n,).
    """
    members = sets != ALONE
    if not bool(members.any()):
        return values.sum() * 0.0
    chosen, numbers = values[members], torch.unique(sets[members], return_inverse=True)[1]
    sizes = torch.bincount(numbers).to(chosen.dtype)
    means = torch.zeros_like(sizes).index_add(0, numbers, chosen) / sizes
    return ((chosen - means[numbers]) ** 2).mean()


class SetBatches:
    """Places of rows by batch: no set is split unless it alone is larger than a batch."""

    def __init__(self, sets: Sequence[int], size: int, seed: int) -> None:
        """Keep which rows belong together.

        Args:
            sets: Number of the set of each row, `ALONE` for none.
            size: Rows of a batch, at most.
            seed: Seed of the order.
        """
        groups: dict[tuple[int, int], list[int]] = defaultdict(list)
        for place, number in enumerate(sets):
            groups[(number, place if number == ALONE else 0)].append(place)
        self._groups = [
            rows[start : start + size] for rows in groups.values() for start in range(0, len(rows), size)
        ]
        self._size = size
        self._seed = seed
        self._epoch = 0

    def __len__(self) -> int:
        """Batches of the first epoch; another order may need one more or less."""
        return len(self._batches(0))

    def __iter__(self) -> Iterator[list[int]]:
        """The batches of the next epoch."""
        yield from self._batches(self._epoch)
        self._epoch += 1

    def _batches(self, epoch: int) -> list[list[int]]:
        order = rng(self._seed, "sets", epoch).permutation(len(self._groups))
        batches: list[list[int]] = [[]]
        for place in order:
            rows = self._groups[int(place)]
            if len(batches[-1]) + len(rows) > self._size:
                batches.append([])
            batches[-1].extend(rows)
        return batches
