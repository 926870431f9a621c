"""The wallet's journal in memory: what survives a crash is its list of facts."""

import random
from collections.abc import Callable
from typing import TypeVar

from tests.venue.chain.fake_chain import Crash
from venue.chain import machine
from venue.chain.facts import Fact
from venue.chain.machine import Refusal, decide
from venue.chain.state import Chain, evolve

T = TypeVar("T")


class Memory:
    """A `Door`. `luck` makes it die before or after a commit."""

    def __init__(self, facts: list[Fact] | None = None, luck: random.Random | None = None) -> None:
        self.facts = facts if facts is not None else []
        self.chain = Chain()
        self.luck = luck
        for fact in self.facts:
            evolve(self.chain, fact)

    async def submit(self, command: machine.Command) -> tuple[Fact, ...] | Refusal:
        self._maybe_crash()
        answer = decide(self.chain, command)
        if not isinstance(answer, Refusal):
            for fact in answer:
                evolve(self.chain, fact)
            self.facts.extend(answer)
        self._maybe_crash()
        return answer

    async def read(self, look: Callable[[Chain], T]) -> T:
        return look(self.chain)

    def _maybe_crash(self) -> None:
        if self.luck and self.luck.random() < 0.02:
            raise Crash
