"""Buybacks on Uniswap: a `SwapVenue` over the wallet's sender. Nothing here waits for a block.

Orders are begun by `swap_usdc_for_token` and carried on by `pass_once`. An order whose first swap was never signed dies
with its process; one whose USDC is spent is finished by whatever process finds it in the journal.
"""

import asyncio
from collections.abc import Mapping
from typing import Final

from eth_typing import ChecksumAddress
from eth_utils.address import to_checksum_address

from venue.chain.facts import Result
from venue.chain.sender import Door
from venue.chain.state import Ended
from venue.perp import Usdc
from venue.swap import PROTOCOL_TOKEN, SwapDeclined, SwapOrder, SwapOutcome, Swapped, SwapUnsettled
from venue.uniswap.hops import HINDRANCES, TRIES, Hindered, Hops, SwapCode, Work, hindered
from venue.uniswap.pools import Pools
from venue.uniswap.route import least
from venue.uniswap.trail import ORDER_ID, Job, Kind, Made, Trail, named, trail, trails

PER_PASS: Final = 4
"""Most orders looked at in a pass."""
REMEMBERED: Final = 256
"""Outcomes kept at hand; older ones are read from the journal again."""
_ENDS: Final = {
    Result.REVERTED: (SwapCode.REVERTED, "the contract refused it"),
    Result.CANCELLED: (SwapCode.GIVEN_UP, "no block took it in time; its nonce is spent"),
    Result.TAKEN: (SwapCode.KEY_SHARED, "somebody else used its nonce"),
}


class Buyer:
    """One order at a time until it has bought: the next one would take its allowances."""

    name = "uniswap"

    def __init__(self, hops: Hops, door: Door, protocol: ChecksumAddress | None) -> None:
        self._hops = hops
        self._door = door
        self._protocol = protocol
        self._lock = asyncio.Lock()
        self._loaded = False
        self._beginning: set[str] = set()
        self._works: dict[str, Work] = {}
        self._outcomes: dict[str, SwapOutcome] = {}
        self._unquoted: dict[str, str] = {}

    @property
    def troubles(self) -> Mapping[str, str]:
        """Why orders wait, by id, and why tokens have no quote, by token; for a person."""
        return {**self._unquoted, **{order_id: work.why for order_id, work in self._works.items() if work.why}}

    async def quote(self, token: str, amount: Usdc) -> int | None:
        """None also while another order is under way: this one would have to wait, and its quote with it."""
        await self._load()
        address = self._address(token)
        if address is None or self._busy:
            return None
        try:
            got = await self._pools.through(await self._pools.route(address), amount)
        except HINDRANCES as error:
            self._unquoted[token] = f"{hindered(error).code}: {error}"
            return None
        self._unquoted.pop(token, None)
        return got or None

    async def most(self, token: str) -> Usdc | None:
        """No limit: what the wallet lacks, its simulation tells."""
        return None

    async def swap_usdc_for_token(self, order: SwapOrder) -> SwapOutcome:
        """Unsettled once something was sent; declined only when nothing was."""
        if not ORDER_ID.fullmatch(order.order_id) or order.amount <= 0 or order.least <= 0:
            return SwapDeclined(order.order_id, SwapCode.BAD_ORDER, "expected an id, an amount and a least amount")
        self._beginning.add(order.order_id)  # before anything is awaited: nobody may hear that it was never signed
        try:
            async with self._lock:
                await self._load()
                known = order.order_id in self._works or order.order_id in self._outcomes
                if known or await self._ids(order.order_id):
                    self._beginning.discard(order.order_id)
                    return await self.outcome(order.order_id)
                return await self._begin(order)
        finally:
            self._beginning.discard(order.order_id)

    async def outcome(self, order_id: str) -> SwapOutcome:
        """What became of an order, by the journal; never raises what the chain raises."""
        await self._load()
        if known := self._outcomes.get(order_id):
            return known
        if order_id in self._works or order_id in self._beginning:
            return SwapUnsettled(order_id)
        tx_ids = await self._ids(order_id)
        name = named(tx_ids[0]) if tx_ids else None
        if name is None:
            return SwapDeclined(order_id, SwapCode.NEVER_SIGNED, "nothing was ever signed for it")
        return await self._finished(Work(name.job, tx_ids))

    async def drain(self, most: int, *, burn: bool = True) -> SwapOutcome | None:
        """Buys the protocol's token with up to `most` of the WETH (1e-18) that no order of ours left; None when there
        is none, or no such token."""
        async with self._lock:
            await self._load()
            token, weth = self._protocol, self._pools.planner.addresses.weth
            if token is None:
                return None
            order_id = "drain"
            if self._works:
                return SwapDeclined(order_id, SwapCode.BUSY, "another buyback is under way")
            try:
                amount = min(await self._pools.balance(weth), most)
                if amount <= 0:
                    return None
                order_id = f"drain-{(await self._pools.node.head()).number}"
                quote = await self._pools.through(await self._pools.drain(token), amount)
            except HINDRANCES as error:
                return SwapDeclined(order_id, hindered(error).code, str(error))
            fewest = least(quote, self._hops.slippage_ppm)
            return await self._start(Job(order_id, Kind.DRAIN, token, amount, fewest, burn))

    async def pass_once(self) -> str:
        """One step of every order, as far as one can be taken. Raises what the journal raises."""
        async with self._lock:
            await self._load()
            for order_id in [*self._works][:PER_PASS]:
                work = self._works.pop(order_id)
                self._works[order_id] = work  # at the end: the next pass begins with the others
                await self._step(work)
        return f"{len(self._works)} buybacks under way"

    def try_again(self, order_id: str) -> bool:
        """A person allows more tries of an order that gave up half way; False when there is no such order."""
        work = self._works.get(order_id)
        if work is None:
            return False
        work.more += TRIES
        work.stuck = False
        return True

    @property
    def _pools(self) -> Pools:
        return self._hops.pools

    @property
    def _busy(self) -> bool:
        under_way = (work for work in self._works.values() if not work.burning and not work.stuck)
        return bool(self._beginning) or any(under_way)

    def _address(self, token: str) -> ChecksumAddress | None:
        try:
            return self._protocol if token == PROTOCOL_TOKEN else to_checksum_address(token)
        except ValueError:
            return None

    async def _load(self) -> None:
        """Takes over what an earlier process began and did not finish, once."""
        if self._loaded:
            return
        works: dict[str, Work] = {}
        for order_id, tx_ids in (await self._door.read(trails)).items():
            name = named(tx_ids[0])
            if name is None:
                continue
            work = Work(name.job, tx_ids)
            if not (await self._trail(work)).finished:
                works[order_id] = work
        if not self._loaded:
            self._loaded = True
            self._works = works

    async def _ids(self, order_id: str) -> list[str]:
        return (await self._door.read(lambda chain: trails(chain, order_id))).get(order_id, [])

    async def _trail(self, work: Work) -> Trail:
        return await self._door.read(lambda chain: trail(chain, work.job, work.tx_ids))

    async def _begin(self, order: SwapOrder) -> SwapOutcome:
        token = self._address(order.token)
        if token is None:
            return SwapDeclined(order.order_id, SwapCode.NOT_LAUNCHED, f"no address of {order.token or 'the protocol'}")
        if any(not work.burning and not work.stuck for work in self._works.values()):
            return SwapDeclined(order.order_id, SwapCode.BUSY, "another buyback is under way")
        try:
            hops = await self._pools.route(token)
        except HINDRANCES as error:
            return SwapDeclined(order.order_id, hindered(error).code, str(error))
        kind = Kind.STRAIGHT if len(hops) == 1 else Kind.TWO_HOPS
        return await self._start(Job(order.order_id, kind, token, order.amount, order.least, order.burn))

    async def _start(self, job: Job) -> SwapOutcome:
        self._works[job.order_id] = work = Work(job)
        return await self._step(work) or SwapUnsettled(job.order_id)

    async def _step(self, work: Work) -> SwapOutcome | None:
        """None: it goes on."""
        try:
            outcome = await self._advance(work)
            work.why = ""
        except HINDRANCES as error:
            outcome = await self._hindered(work, hindered(error))
        if outcome is not None:
            self._remember(outcome)
            del self._works[work.job.order_id]
        return outcome

    async def _advance(self, work: Work) -> SwapOutcome | None:
        """Raises one of `HINDRANCES`."""
        job, made = work.job, await self._trail(work)
        amount = job.amount
        for hop in range(job.hops):
            swap = made.swap(hop)
            if swap is None or swap.failed:
                if swap is not None and hop == 0:
                    return _declined(job.order_id, swap)
                await self._hops.go_on(work, made, hop, amount)
                return None
            if not swap.done:
                return None
            amount = await self._bought(work, swap)
        work.burning = job.burn
        if not job.burn:
            return Swapped(job.order_id, amount, burned=False)
        return await self._burn(work, made, amount)

    async def _burn(self, work: Work, made: Trail, amount: int) -> SwapOutcome | None:
        burn = made.swap(work.job.hops)
        if burn is None or burn.failed:
            await self._hops.burn(work, made, amount)
            return None
        return Swapped(work.job.order_id, amount, burned=True) if burn.done else None

    async def _hindered(self, work: Work, why: Hindered) -> SwapOutcome | None:
        made = await self._trail(work)
        if made.spent or (why.passing and made.made):
            work.why = f"{why.code}: {why}"
            work.stuck = why.code == SwapCode.TOO_MANY_TRIES
            return None
        failed = next((each for each in made.made if each.failed), None)
        order_id = work.job.order_id
        return _declined(order_id, failed) if failed else SwapDeclined(order_id, why.code, str(why))

    async def _bought(self, work: Work, swap: Made) -> int:
        """What a swap that is done brought. Raises Hindered when nobody can tell."""
        hop = swap.name.hop
        if hop not in work.bought:
            last = hop == work.job.hops - 1
            token = work.job.token if last else self._pools.planner.addresses.weth
            tx_hash = swap.standing.hash if isinstance(swap.standing, Ended) else ""
            amount = await self._pools.bought(tx_hash, token)
            if amount is None:
                raise Hindered(SwapCode.NO_RECEIPT, f"no receipt of {tx_hash}", passing=True)
            if amount <= 0:
                raise Hindered(SwapCode.NOTHING_BOUGHT, f"{tx_hash} brought {amount} of {token}")
            work.bought[hop] = amount
        return work.bought[hop]

    async def _finished(self, work: Work) -> SwapOutcome:
        """The outcome of an order that is not under way any more."""
        order_id, made = work.job.order_id, await self._trail(work)
        first, last = made.swap(0), made.swap(work.job.hops - 1)
        if first is None:
            return SwapDeclined(order_id, SwapCode.NEVER_SIGNED, "its swap was never signed")
        if first.failed:
            return _declined(order_id, first)
        if not made.finished or last is None:
            return SwapUnsettled(order_id)
        try:
            return self._remember(Swapped(order_id, await self._bought(work, last), work.job.burn))
        except HINDRANCES:
            return SwapUnsettled(order_id)

    def _remember(self, outcome: SwapOutcome) -> SwapOutcome:
        self._outcomes[outcome.order_id] = outcome
        if len(self._outcomes) > REMEMBERED:
            del self._outcomes[next(iter(self._outcomes))]
        return outcome


def _declined(order_id: str, made: Made) -> SwapDeclined:
    result = made.standing.result if isinstance(made.standing, Ended) else Result.CANCELLED
    code, text = _ENDS[result]
    return SwapDeclined(order_id, code, f"{made.name.step}: {text}")
