"""The engine's side of the two-step exchange: who may ask for what, and exact decimals into the exchange's units."""

from collections.abc import Mapping
from dataclasses import dataclass

from engine.clearing.commands import Role
from engine.clock import Clock
from engine.desks.commands import Code
from engine.keepers.requests import RequestKeeper
from engine.requests import commands as asked
from engine.requests.commands import RequestCommand
from engine.requests.translate import LONGEST_TEXT, created, updated
from engine.settlement import Settlement
from venue.exchange.commands import Refused, Rejection
from venue.exchange.facts import Deposited
from venue.exchange.reasons import Reason
from venue.exchange.requests import commands, facts
from venue.exchange.requests.cancel import MISSING
from venue.exchange.requests.request import OrderRequest, Request, kind_of
from venue.exchange.state import Exchange
from venue.exchange.tokens import shown

CLAIMABLE = ("fees", "affiliate", "locked")
Answer = tuple[bool, str, str]
"""(ok, code, one line)."""


@dataclass(frozen=True, slots=True)
class RequestCounter:
    """Where requests are taken. `reserved` prefixes belong to the engine itself."""

    settlement: Settlement
    keeper: RequestKeeper
    clock: Clock
    reserved: tuple[str, ...]
    roles: Mapping[str, Role]

    async def serve(self, command: RequestCommand) -> Answer:
        """What came of it. Nothing was done where the first is False."""
        try:
            match command:
                case asked.CancelRequest() | asked.UpdateOrder():
                    return await self._change(command)
                case asked.RetryRequest():
                    return await self._retry(command)
                case asked.ClaimTokens():
                    return await self._claim(command)
                case _:
                    return await self._create(command)
        except Refused as refused:
            return False, refused.rejection.code, refused.rejection.detail

    async def _create(
        self, command: asked.CreateDeposit | asked.CreateWithdrawal | asked.CreateOrder | asked.CreditPaper
    ) -> Answer:
        self._check_account(command.who, command.account)
        if any(len(text) > LONGEST_TEXT for text in (command.account, getattr(command, "receiver", ""))):
            raise Refused(Code.BAD_REQUEST, f"account: expected at most {LONGEST_TEXT} characters")
        now_ms = self.clock.now_ms()
        create = await self.settlement.read(lambda world: created(world.exchange, command, now_ms))
        answer = await self.settlement.submit(create)
        if isinstance(answer, Rejection) and answer.code is Reason.DUPLICATE_CLIENT_ID:
            return await self._created_before(command)
        if isinstance(answer, Rejection):
            return False, answer.code, answer.detail
        return _told(answer)

    async def _created_before(
        self, command: asked.CreateDeposit | asked.CreateWithdrawal | asked.CreateOrder | asked.CreditPaper
    ) -> Answer:
        """A repetition, perhaps after a restart, is told what its first sending came to."""
        name = f"{command.who}:{command.id}"
        key = await self.settlement.read(lambda world: world.exchange.requests.by_client.get(name, ""))
        return True, "", f"created before as {key}" if key else "created before"

    async def _change(self, command: asked.CancelRequest | asked.UpdateOrder) -> Answer:
        request = await self._find(command.key)
        self._check_account(command.who, request.account, change=True)
        now_ms = self.clock.now_ms()
        if isinstance(command, asked.CancelRequest):
            cancel = commands.CancelRequest(kind_of(request), request.key, request.account, now_ms)
            return _told(await self.settlement.submit(cancel))
        if not isinstance(request, OrderRequest):
            raise Refused(Reason.ORDER_NOT_UPDATABLE, f"key: a {kind_of(request)}; expected an order")
        update = await self.settlement.read(lambda world: updated(world.exchange, request, command, now_ms))
        answer = await self.settlement.submit(update)
        if isinstance(answer, Rejection) and answer.code is Reason.DUPLICATE_CLIENT_ID:
            return True, "", "updated before"
        return _told(answer)

    async def _claim(self, command: asked.ClaimTokens) -> Answer:
        account = command.account
        if command.what == "fees":
            account = await self.settlement.read(lambda world: world.exchange.requests.rules.treasury)
        self._check_account(command.who, account)
        if command.what not in CLAIMABLE:
            raise Refused(Code.BAD_REQUEST, f"what {command.what[:40]!r}: expected {', '.join(CLAIMABLE)}")
        claim = commands.Claim(account, command.market[:LONGEST_TEXT], command.what[:LONGEST_TEXT])
        answer = await self.settlement.submit(claim)
        if isinstance(answer, Rejection):
            return False, answer.code, answer.detail
        paid = " and ".join(shown(move.amount, move.token) for move in answer[0].moves)  # type: ignore[union-attr]
        return True, "", f"{paid} to {account}"

    async def _retry(self, command: asked.RetryRequest) -> Answer:
        request = await self._find(command.key)
        self._check_account(command.who, request.account, change=True)
        return _told(await self.keeper.attempt(kind_of(request), request.key))

    async def _find(self, key: str) -> Request:
        """The waiting request whose key starts like this; a prefix is enough where it fits one only."""
        prefix = key[:LONGEST_TEXT]

        def look(exchange: Exchange) -> list[Request] | str:
            book = exchange.requests
            found = [request for each, request in book.pending.items() if prefix and each.startswith(prefix)]
            ended = next((book.ended[each] for each in book.ended if prefix and each.startswith(prefix)), None)
            return found or (f"already {ended.ending} by {ended.by}" if ended else "not known here")

        found = await self.settlement.read(lambda world: look(world.exchange))
        if isinstance(found, str):
            raise Refused(Code.NOT_WAITING, f"key {prefix[:18]}: {found}; expected a waiting request")
        if len(found) > 1:
            raise Refused(Code.BAD_REQUEST, f"key {prefix[:18]}: {len(found)} requests; expected more of the key")
        return found[0]

    def _check_account(self, who: str, account: str, *, change: bool = False) -> None:
        operator = self.roles.get(who) is Role.OPERATOR
        if account != who and not operator:
            raise Refused(Code.NOT_ALLOWED, f"{who} may not act for {account[:LONGEST_TEXT]}")
        if account.startswith(self.reserved) and not (change and operator):
            raise Refused(Code.NOT_ALLOWED, f"account {account[:LONGEST_TEXT]!r} belongs to the engine")


def _told(answer: tuple[object, ...] | Rejection) -> Answer:
    if isinstance(answer, Rejection):
        code = "RACED" if answer.code in MISSING else answer.code
        return False, code, answer.detail
    match answer[-1] if isinstance(answer[0], facts.TraderReferred) else answer[0]:
        case facts.DepositCreated() | facts.WithdrawalCreated() | facts.OrderCreated() as new:
            return True, "", f"created {new.request.key}, waits for a keeper"
        case facts.OrderUpdated():
            return True, "", "updated, waits for a keeper"
        case facts.RequestCancelled() as cancelled:
            return True, "", f"cancelled: {cancelled.reason} {cancelled.detail}".strip()
        case facts.OrderFrozen() as frozen:
            return True, "", f"frozen: {frozen.reason} {frozen.detail}".strip()
        case facts.TokensCredited() as credited:
            move = credited.moves[0]
            return (
                True,
                "",
                f"credited {shown(move.amount, move.token)} of paper money",
            )
        case Deposited():
            return True, "", "credited paper USD of the clearinghouse"
    return True, "", "executed"
