"""What a buyback asks of the chain, agreed: routes, quotes, allowances, and what a swap bought."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from eth_typing import ChecksumAddress

from venue.chain.agreed import AgreedNode
from venue.chain.call import Call
from venue.chain.erc20 import BALANCE_OF
from venue.uniswap import permit2, v3, v4
from venue.uniswap.permit2 import allowed_by_permit2, allowed_by_token
from venue.uniswap.plan import Planner, Standing
from venue.uniswap.receipts import bought
from venue.uniswap.route import Hop, RouteCode, RouteRefused, V3Hop, drain, route
from venue.uniswap.trail import Job, Kind
from venue.uniswap.v4 import PoolKey

PoolOf = Callable[[ChecksumAddress], Awaitable[PoolKey | None]]
"""Where a token trades; None when nobody knows it. Raises RpcError or AbiError."""
AgeOf = Callable[[ChecksumAddress], Awaitable[int | None]]
"""How many seconds ago a token was launched; None when nobody knows."""
_OLD: Final = 2**40


@dataclass(frozen=True, slots=True)
class Pools:
    """Raises RpcError throughout, and AbiError for answers that cannot be."""

    node: AgreedNode
    planner: Planner
    pool_of: PoolOf
    age_of: AgeOf

    async def route(self, token: ChecksumAddress) -> tuple[Hop, ...]:
        """From USDC to `token`. Raises RouteRefused."""
        return self._route(token, await self._pool(token), await self.age_of(token))

    async def drain(self, token: ChecksumAddress) -> tuple[Hop, ...]:
        """From WETH to `token`. Raises RouteRefused."""
        return self._drain(token, await self._pool(token), await self.age_of(token))

    async def hops(self, job: Job) -> tuple[Hop, ...]:
        """The way of a job that has begun: its token was old enough then. Raises RouteRefused when the token's pool is
        not where it was."""
        key = await self._pool(job.token)
        if job.kind is Kind.DRAIN:
            return self._drain(job.token, key, _OLD)
        hops = self._route(job.token, key, _OLD)
        if len(hops) != job.hops:
            raise RouteRefused(RouteCode.OTHER_POOL, f"{job.token} trades elsewhere than when the buyback began")
        return hops

    async def quote(self, hop: Hop, amount: int) -> int:
        """What `amount` buys now."""
        addresses = self.planner.addresses
        if isinstance(hop, V3Hop):
            return v3.quoted(await self._ask(v3.quote(addresses, hop.token_in, hop.token_out, hop.fee, amount)))
        return v4.quoted(await self._ask(v4.quote(addresses, hop.key, hop.token_in, amount)))

    async def through(self, hops: tuple[Hop, ...], amount: int) -> int:
        """What `amount` buys along all of them; 0 when a pool gives nothing on the way."""
        for hop in hops:
            amount = await self.quote(hop, amount) if amount else 0
        return amount

    async def standing(self, hop: Hop) -> Standing:
        """What is allowed of what the hop pays with."""
        addresses, version, wallet = self.planner.addresses, self.planner.version, self.planner.wallet
        if isinstance(hop, V3Hop):
            asked = permit2.allowance(hop.token_in, wallet, addresses.v3_router)
            return Standing(allowed_by_token(await self._ask(asked)))
        by_token = await self._ask(permit2.allowance(hop.token_in, wallet, addresses.permit2))
        by_permit2 = await self._ask(permit2.allowance_of_router(addresses, version, hop.token_in, wallet))
        return Standing(allowed_by_token(by_token), allowed_by_permit2(by_permit2))

    async def balance(self, token: ChecksumAddress) -> int:
        """What the wallet has of it."""
        (amount,) = BALANCE_OF.decode_returned(await self._ask(Call(token, BALANCE_OF.encode(self.planner.wallet))))
        return int(amount)

    async def bought(self, tx_hash: str, token: ChecksumAddress) -> int | None:
        """What a transaction brought of `token`; None when no node in reach has its receipt."""
        receipt = await self.node.receipt(tx_hash)
        return bought(receipt.logs, token, self.planner.wallet) if receipt else None

    async def now_s(self) -> int:
        """The chain's clock."""
        return (await self.node.head()).timestamp_s

    async def _ask(self, call: Call) -> bytes:
        return await self.node.call(call, self.planner.wallet)

    async def _pool(self, token: ChecksumAddress) -> PoolKey:
        key = await self.pool_of(token)
        if key is None:
            raise RouteRefused(RouteCode.OTHER_POOL, f"no locker knows {token}")
        return key

    def _route(self, token: ChecksumAddress, key: PoolKey, age_s: int | None) -> tuple[Hop, ...]:
        return route(self.planner.addresses, self.planner.limits, token, key, age_s)

    def _drain(self, token: ChecksumAddress, key: PoolKey, age_s: int | None) -> tuple[Hop, ...]:
        return (drain(self.planner.addresses, self.planner.limits, token, key, age_s),)
