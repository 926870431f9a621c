"""A state directory that outlives the programs on it, somebody who commands them, and what must hold of both."""

import os
import pwd
import random
import time
from collections import Counter
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from engine.audit import audit
from engine.clearing.commands import Deposit, Withdraw
from engine.commands import CloseDesk, Command, HaltDesk, NoteDesk, Receipt, ReduceDesk, ResumeDesk
from engine.desks import facts as desks
from engine.remote import RemoteError, RemotePort
from engine.replay import fold
from engine.requests.commands import CreateDeposit, CreateOrder, CreditPaper
from engine.world import Fact, World
from store.chain import Mark
from store.reader import Reader
from venue.exchange.facts import Deposited, Withdrawn
from venue.exchange.requests import facts as requests
from venue.exchange.requests.request import OrderType

ME: Final = pwd.getpwuid(os.getuid()).pw_name
MEANT_MS: Final = 3_600_000
ANSWER_S: Final = 20.0
KNOWN: Final = ("DuplicateClientId", "CHANGED", "NO_POSITION", "ORDER_PENDING", "OrderNotFulfillableAtAcceptablePrice")
"""Codes that leave open whether an earlier sending was done."""


@dataclass(frozen=True, slots=True)
class Told:
    """A command and its receipt."""

    command: Command
    receipt: Receipt


class Operator:
    """Sends one command after the other; one that was not answered goes first, as it was, to the next program."""

    def __init__(self, name: str, rng: random.Random) -> None:
        self._name = name
        self._rng = rng
        self._count = 0
        self.unanswered: Command | None = None
        self.told: list[Told] = []
        self.repeated = 0

    async def commands(self, state: Path, desks: list[str], most: int = 10**9) -> None:
        """Until the program dies, or for so many commands."""
        try:
            async with await RemotePort.connect(state, ANSWER_S) as port:
                for _ in range(most):
                    self.repeated += self.unanswered is not None
                    self.unanswered = self.unanswered or self._next(desks, self._seen())
                    receipt = await port.submit(self.unanswered)
                    self.told.append(Told(self.unanswered, receipt))
                    self.unanswered = None
        except RemoteError:
            return

    def _seen(self) -> int:
        return self.told[-1].receipt.seq if self.told else 0

    def _next(self, desks: list[str], seen: int) -> Command:
        self._count += 1
        number, rng = self._count, self._rng
        until = time.time_ns() // 10**6 + MEANT_MS
        said: dict[str, Any] = {"id": f"{self._name}-{number}", "who": ME, "seen_seq": seen, "expires_at_ms": until}
        address = rng.choice(desks)
        what = rng.random()
        if what < 0.1:
            return CreditPaper(account=ME, token="USDC", amount=Decimal(number), **said)
        if what < 0.2:
            pays = rng.choice((Deposit, Withdraw))
            return pays(user=ME, amount=number, **said)
        if what < 0.35:
            return CreateDeposit(account=ME, market="ETH-USD", long_amount=Decimal("0.01"), **said)
        if what < 0.5:
            spent = Decimal("0.01")
            kind, path = OrderType.MARKET_SWAP, ("ETH-USD",)
            return CreateOrder(account=ME, type=kind, path=path, collateral_token="WETH", collateral=spent, **said)
        if what < 0.7:
            return NoteDesk(address=address, text=f"note {number}", **said)
        if what < 0.8:
            return HaltDesk(address=address, **said)
        if what < 0.9:
            return ResumeDesk(address=address, **said)
        worst = rng.choice((number, 10**40 + number))  # tells it from all others; any price is as good or as bad
        if what < 0.95:
            return ReduceDesk(address=address, share=100_000, worst_price=worst, **said)
        return CloseDesk(address=address, worst_price=worst, **said)


class House:
    """What the journal of a directory has said so far."""

    def __init__(self, state: Path) -> None:
        self.state = state
        self.world = World()
        self.done: Counter[str] = Counter()
        """Effects by what tells their command."""
        self._mark = Mark()
        self._keys: Counter[str] = Counter()

    @property
    def seq(self) -> int:
        return self._mark.seq

    def read_on(self) -> str:
        """Takes in what is new; what is wrong with it."""
        with Reader(self.state) as reader:
            if not reader.knows(self._mark):
                return f"entry {self._mark.seq} was there and is gone, or another"
            reader.go_to(self._mark)
            for entry in reader.read(reader.newest() - self._mark.seq):
                self._take(fold(self.world, entry))
            self._mark = reader.mark
        twice = [key for key, times in (self._keys + self.done).items() if times > 1]
        return f"{twice[0]} was done {(self._keys + self.done)[twice[0]]} times" if twice else ""

    def _take(self, fact: Fact) -> None:
        if isinstance(fact, desks.DeskHalted | desks.DeskResumed | desks.DeskNoted) and fact.command_id:
            self.done[fact.command_id] += 1
        elif isinstance(fact, requests.DepositCreated | requests.OrderCreated):
            self.done[fact.request.client_id.removeprefix(f"{ME}:")] += bool(fact.request.client_id)
        elif isinstance(fact, requests.TokensCredited | Deposited | Withdrawn) and fact.client_id:
            self.done[fact.client_id.removeprefix(f"{ME}:")] += 1
        elif isinstance(fact, desks.OrderIntended) and fact.who == ME:
            self.done[f"worst {fact.worst_price}"] += 1
        receipt = getattr(fact, "receipt", None)
        if receipt is not None and not isinstance(fact, requests.OrderFrozen):
            self._keys[receipt.key] += 1

    def wrong(self, operator: Operator) -> str:
        """What was acknowledged and is not so, or does not hold; nothing if nothing."""
        if said := self.read_on():
            return said
        newest = max((each.receipt.seq for each in operator.told), default=0)
        if newest > self.seq:
            return f"fact {newest} was acknowledged, the journal ends with {self.seq}"
        for each in operator.told:
            if said := self._kept(each):
                return said
        operator.told = operator.told[-1:]
        report = audit(self.state)
        if not report.ok:
            return str([fault for finding in report.findings for fault in finding.faults][:3])
        return "" if report.world == self.world else "the audit folds another world"

    def _kept(self, told: Told) -> str:
        """A receipt says whether something was done; once means once, refused means never."""
        command, receipt = told.command, told.receipt
        name = f"worst {command.worst_price}" if isinstance(command, ReduceDesk | CloseDesk) else command.id
        times = self.done[name]
        if times and not receipt.ok and receipt.code not in KNOWN:
            return f"{command.id} was refused as {receipt.code} and done"
        says_done = receipt.ok and not receipt.text.startswith("already")
        return f"{command.id} was acknowledged ({receipt.text}) and not done" if says_done and not times else ""

    def waiting(self) -> int:
        """Requests of ours that nobody has executed or cancelled."""
        return sum(request.account == ME for request in self.world.exchange.requests.pending.values())


def again(command: Command) -> Command:
    """As somebody repeats it by hand: meant until later."""
    return replace(command, expires_at_ms=command.expires_at_ms + MEANT_MS)
