"""Prompts that a target has no place for: conversations where it takes one message, or system messages.

Found while the plan is made, since each of them would only come back as an error.
"""

from collections.abc import Iterable, Iterator, Mapping

from audit.errors import SpecError
from audit.targets.base import TargetInfo
from probes.records import Prompt

__all__ = ["Shapes"]


class Shapes:
    """How many messages prompts have, noted as they go by."""

    def __init__(self) -> None:
        """Nothing went by yet."""
        self._prompts = 0
        self._conversations = 0
        self._with_system = 0
        self._conversation: Prompt | None = None
        self._system: Prompt | None = None

    def passing(self, prompts: Iterable[Prompt]) -> Iterator[Prompt]:
        """The same prompts, streaming."""
        for prompt in prompts:
            self._prompts += 1
            said = sum(message.role != "system" for message in prompt.messages)
            if said != 1 or prompt.further:
                self._conversations += 1
                self._conversation = self._conversation or prompt
            if said < len(prompt.messages):
                self._with_system += 1
                self._system = self._system or prompt
            yield prompt

    def refuse(self, targets: Mapping[str, TargetInfo], where: str) -> None:
        """Refuse a plan with prompts that a target has no place for; call it once they have all gone by.

        Args:
            targets: What the spec's targets are, by the spec's key.
            where: Name of the spec file, for messages.

        Raises:
            SpecError: One line for every target that cannot be asked.
        """
        problems = [line for key, info in targets.items() for line in self._problems(key, info)]
        if problems:
            raise SpecError("\n".join(f"{where}: {line}" for line in problems))

    def _problems(self, key: str, info: TargetInfo) -> Iterator[str]:
        if info.one_message is not None and self._conversation is not None:
            yield (
                f"{key}: takes prompts of one message, and {self._conversations} of {self._prompts} prompts "
                f"are conversations of several, such as those of {self._conversation.probe}; "
                f"accepted: {info.one_message}"
            )
        if info.no_system is not None and self._system is not None:
            yield (
                f"{key}: has no place for system messages, and {self._with_system} of {self._prompts} "
                f"prompts have one, such as those of {self._system.probe}; accepted: {info.no_system}"
            )
