"""One engine with two wallets on a chain of its own: each desk's money stays where its fees arrive."""

import asyncio
from collections.abc import Generator
from functools import partial
from pathlib import Path

import pytest

from engine import assembly
from engine.arming import Arming
from engine.chronicle import Chronicle
from engine.clock import SystemClock
from engine.commands import CloseDesk, Receipt
from engine.config import Settings
from engine.desk_rows import WalletRow
from engine.engine import Engine, Options
from engine.live import places
from engine.live.journaled import Unwelcome, one_shot
from engine.live.places import Live
from engine.live.wiring import reading
from engine.sections import Desks, Token
from engine.snapshot import DeskPhase, DeskRow
from store.errors import WrongState
from tests.chain.fixtures import _needs_anvil
from tests.chain.money_house import OTHER_TOKEN
from tests.chain.node import KEYS
from tests.chain.stage import HOOK, STRANGER, TOKEN, TRADER, USDC_KEY
from tests.chain.test_live_engine import FEES, SOON, Run, now_ms, oracle
from tests.chain.test_live_engine import settings as settings_of
from tests.cli.live import MONEY, LiveVenue, live_venue
from tui import format as fmt
from venue.avantis.addresses import AVANTIS, BASE
from venue.chain.call import Call
from venue.chain.erc20 import APPROVE
from venue.chain.signer import Signer, account_of
from venue.uniswap.addresses import UNISWAP
from venue.uniswap.v4 import PoolKey

OTHER_KEY = PoolKey(UNISWAP.usdc, OTHER_TOKEN, 0x800000, 200, HOOK)
LAUNCHES = ((TOKEN, USDC_KEY, TRADER), (OTHER_TOKEN, OTHER_KEY, STRANGER))
WALLETS = (TRADER, STRANGER)
POOR = 10**14


@pytest.fixture(scope="module")
def fleet() -> Generator[LiveVenue, None, None]:
    """Two launches that pay a wallet each, of which the second has nothing but its fees."""
    _needs_anvil()
    with live_venue() as made:
        made.do(_prepare(made))
        yield made


async def _prepare(live: LiveVenue) -> None:
    await live.stage.token(OTHER_TOKEN)
    for token, key, wallet in LAUNCHES:
        await live.stage.launch(token, key, [(wallet, 10_000)])
        await live.stage.accrue_fees(token, UNISWAP.usdc, FEES)
        await live.stage.rate(key, UNISWAP.usdc, 10**18, 10**6)
        await live.stage.must(Call(AVANTIS.usdc, APPROVE.encode(AVANTIS.storage, MONEY)), wallet)


@pytest.fixture(autouse=True)
def _hurried(monkeypatch: pytest.MonkeyPatch, fleet: LiveVenue) -> None:
    for name in ("FEE_CLAIMER", "DESK_MANAGER", "CREATOR_BUYBACK", "BUYBACK_ENGINE", "PRICE_SAMPLER", "WALLET_WATCH"):
        monkeypatch.setattr(assembly, name, SOON)
    monkeypatch.setattr(places, "HOMES", SOON)
    for name, value in fleet.env().items():
        if not name.startswith(("PERPDESK_PYTH", "PERPDESK_VENUE")):
            monkeypatch.setenv(name, value)


def settings(url: str) -> Settings:
    """A desk for each launch."""
    tokens = (Token(address=str(TOKEN), name="CAT"), Token(address=str(OTHER_TOKEN), name="DOG"))
    return settings_of(url).model_copy(update={"desks": Desks(tokens=tokens)})


def signer(number: int) -> Signer:
    return Signer(account_of(bytes.fromhex(KEYS[number][2:])), BASE)


class Fleet(Run):
    """One process's engine with the keys of these numbers."""

    def __init__(self, url: str, directory: Path, *keys: int) -> None:
        options = Options(settings(url), directory, None, Live(tuple(map(signer, keys)), Arming(armed=True)))
        self.engine = Engine(options, SystemClock(), Chronicle())
        self.ready = asyncio.Event()
        self.stop = asyncio.Event()
        self.task = asyncio.create_task(self.engine.run(self.ready.set, self.stop))

    def history(self) -> str:
        return "\n".join([super().history(), *self.engine.snapshot.status.alarms, *map(str, self.rows)])

    def desk(self, token: str) -> DeskRow:
        return next(desk for desk in self.engine.snapshot.desks if desk.address == token.lower())

    @property
    def rows(self) -> tuple[WalletRow, ...]:
        return self.engine.snapshot.flow.wallets

    @property
    def positions(self) -> tuple[int, ...]:
        return tuple(row.positions for row in self.rows)

    async def opened(self) -> None:
        """Both desks have a position that is theirs on the chain as well."""
        await self.until(lambda: all(self.desk(token).phase is DeskPhase.OPEN for token, _, _ in LAUNCHES))
        await self.until(lambda: self.positions == (1, 1))

    async def close(self, token: str) -> Receipt:
        """As an operator does, at whatever price."""
        desk, snapshot = self.desk(token), self.engine.snapshot
        worst = 1 if desk.side == "long" else 10**30
        command = CloseDesk(
            id="c",
            who="ops",
            seen_seq=snapshot.seq,
            expires_at_ms=now_ms() + 60_000,
            address=token.lower(),
            worst_price=worst,
        )
        return await self.engine.parts.operator.execute(command)

    async def end(self) -> None:
        self.stop.set()
        await self.task


def holdings(live: LiveVenue) -> list[tuple[int, int]]:
    """USDC and gas of each wallet, read from the chain."""
    return [
        (
            live.do(live.stage.balance(AVANTIS.usdc, wallet)),
            int(live.do(live.node.rpc("eth_getBalance", wallet, "latest")), 16),
        )
        for wallet in WALLETS
    ]


def slots(live: LiveVenue) -> list[list[tuple[int, int]]]:
    """Pair and trade index of what each wallet holds on the chain."""
    return [[(held.pair_index, held.trade_index) for held in live.world.held(wallet)] for wallet in WALLETS]


def creators(run: Fleet) -> list[str]:
    """Buybacks of the launches themselves; the protocol's are burned."""
    return [text for text in run.told("buyback") if "bought" in text and "burned" not in text]


def tokens(live: LiveVenue) -> list[list[int]]:
    """What each wallet has of each launch."""
    return [[live.do(live.stage.balance(token, wallet)) for token, _, _ in LAUNCHES] for wallet in WALLETS]


def counted(run: Fleet, live: LiveVenue) -> bool:
    found = [(row.usdc and row.usdc // 10**12, row.gas) for row in run.rows]
    return found == holdings(live)


async def test_every_desk_trades_from_the_wallet_that_its_launch_pays(fleet: LiveVenue, tmp_path: Path) -> None:
    async with oracle(fleet) as url:
        first = Fleet(url, tmp_path, 0, 1)
        await first.opened()
        ((one,), (other,)) = slots(fleet)
        assert one == other
        assert one[1] == 0
        await first.until(lambda: len(first.told("fees")) == 2)
        await first.until(lambda: bool(creators(first)))
        assert [[balance > 0 for balance in row] for row in tokens(fleet)] == [[True, False], [False, False]]
        await first.until(
            lambda: bool(first.alarms(f"wallet {fmt.address(STRANGER)}: buyback {OTHER_TOKEN.lower()}: TOO_NEW"))
        )
        await first.until(lambda: counted(first, fleet))
        assert [(row.address, row.desks, row.positions, row.fullest, row.state) for row in first.rows] == [
            (wallet, 1, 1, "ETH", "") for wallet in WALLETS
        ]

        receipt = await first.close(TOKEN)
        assert receipt.ok, receipt
        await first.until(lambda: first.desk(TOKEN).phase is DeskPhase.CLOSED)
        assert slots(fleet) == [[], [other]]
        await first.until(lambda: first.positions == (0, 1))
        assert first.desk(OTHER_TOKEN).phase is DeskPhase.OPEN
        await first.end()

        with pytest.raises(WrongState, match=f"the journal also sends from {STRANGER}") as refused:
            await Fleet(url, tmp_path, 0).task
        assert refused.value.code == "OTHER_WALLET"

        again = Fleet(url, tmp_path, 1, 0)
        await again.until(lambda: again.positions == (1, 0))
        assert [row.address for row in again.rows] == [STRANGER, TRADER]
        assert again.desk(OTHER_TOKEN).phase is DeskPhase.OPEN
        fleet.do(fleet.stage.ether(STRANGER, POOR))
        await again.until(lambda: [row.state for row in again.rows] == ["too little gas to open", ""])
        fleet.do(fleet.stage.ether(STRANGER, 10**18))
        await again.end()
        await _by_hand(settings(url), tmp_path)


async def _by_hand(asked: Settings, directory: Path) -> None:
    """A command with one of the wallets is welcome on the journal of both; one with another is not."""
    clock = SystemClock()
    read = reading(asked, clock)
    try:
        for number in (1, 0):
            async with one_shot(asked, read, directory, partial(_opened, number), clock) as shot:
                assert len(await shot.claims()) == number
        with pytest.raises(Unwelcome, match="OTHER_WALLET: this journal sends from"):
            async with one_shot(asked, read, directory, partial(_opened, 2), clock):
                pass
    finally:
        await read.aclose()


async def _opened(number: int) -> Signer:
    return signer(number)
