"""The carry keeper: one block per pass. Time that passed while perpdesk was not running makes no blocks."""

from engine.settlement import Settlement
from venue.exchange.commands import AdvanceBlock


class CarryKeeper:
    """Advances the exchange by a block, which accrues carry on every market."""

    def __init__(self, settlement: Settlement) -> None:
        self._settlement = settlement

    async def pass_once(self) -> str:
        await self._settlement.submit(AdvanceBlock())
        block = await self._settlement.read(lambda world: world.exchange.current_block)
        return f"block {block:,}"
