"""The sections of the configuration, each with its bounds; `config.py` reads them."""

from decimal import Decimal
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    field_validator,
    model_validator,
)
from pydantic.alias_generators import to_camel

from venue.exchange.scenario.config import RESERVES, configured
from venue.exchange.scenario.pool_config import pool_params
from venue.net.url import checked_key, checked_url
from venue.pyth import FEEDS


def _exact(value: object) -> object:
    """TOML floats as the decimal that was written, so that 0.0015 is not 0.00149999999999999994."""
    return Decimal(repr(value)) if isinstance(value, float) else value


Fraction = Annotated[Decimal, BeforeValidator(_exact), Field(ge=0, le=1, allow_inf_nan=False)]
Share = Annotated[Decimal, BeforeValidator(_exact), Field(ge=Decimal("0.001"), lt=1, allow_inf_nan=False)]
Money = Annotated[Decimal, BeforeValidator(_exact), Field(ge=0, le=10**12, allow_inf_nan=False)]
Multiple = Annotated[Decimal, BeforeValidator(_exact), Field(ge=1, le=500, allow_inf_nan=False)]
Seconds = Annotated[Decimal, BeforeValidator(_exact), Field(gt=0, le=86_400, allow_inf_nan=False)]


class _Section(BaseModel):
    model_config = ConfigDict(
        extra="forbid", frozen=True, alias_generator=to_camel, populate_by_name=True, use_attribute_docstrings=True
    )


class Pyth(_Section):
    """Where prices come from. The key goes into the environment (PERPDESK_PYTH__KEY), not into the file."""

    url: str = "https://hermes.pyth.network"
    key: SecretStr | None = None
    transport: Literal["sse", "ws"] = "sse"

    @field_validator("url")
    @classmethod
    def _safe_url(cls, url: str) -> str:
        checked_url(url, "Hermes")
        return url

    @field_validator("key")
    @classmethod
    def _sendable_key(cls, key: SecretStr | None) -> SecretStr | None:
        return checked_key(key, "Hermes")


MarketTable = dict[str, str | list[dict[str, str]]]


class ExchangeSettings(_Section):
    """The embedded exchange; each market's curve is anchored at the first price seen."""

    markets: tuple[str, ...] = ("ETH", "BTC")
    depth_usd: Annotated[Money, Field(ge=1_000)] = Decimal(5_000_000)
    block_seconds: Seconds = Decimal(2)
    max_leverage: Multiple = Decimal(30)
    insurance_usd: Money = Decimal(100_000)
    profile: Literal["limited", "seed-literal"] = "limited"
    """`seed-literal` lifts the limit on how far one open may move mark."""
    market: dict[str, MarketTable] = Field(default_factory=dict)
    """Per market, the seed's parameters by the seed's names, as strings: `[exchange.market.ETH]`."""
    pools: tuple[Literal["ETH-USD", "BTC-USD"], ...] = ("ETH-USD", "BTC-USD")
    """Pool markets of the two-step exchange."""
    pool: dict[str, dict[str, str]] = Field(default_factory=dict)
    """Per pool, its parameters by the names that scenarios use, as strings: `[exchange.pool.ETH-USD]`."""
    request_keepers: Annotated[int, Field(ge=1, le=8)] = 1
    """How many keepers compete for requests."""
    liquidation_keepers: Annotated[int, Field(ge=1, le=8)] = 1
    """How many of the engine's own compete for liquidations; they are `keeper-1` and on."""
    liquidation_cost_usd: Money = Decimal(0)
    """What a liquidation costs a keeper: one that pays less is left alone, bad debt never."""
    operators: tuple[str, ...] = ()
    liquidators: tuple[str, ...] = ()
    """Accounts of the clearinghouse with that role. With any liquidator named, only those may liquidate."""

    @field_validator("market")
    @classmethod
    def _known_parameters(cls, market: dict[str, MarketTable]) -> dict[str, MarketTable]:
        for symbol, changes in market.items():
            if symbol not in FEEDS:
                raise ValueError(f"market {symbol} is unknown")
            if reserves := changes.keys() & RESERVES.keys():
                raise ValueError(f"{min(reserves)}: curves are anchored at the first price; set depth_usd")
            configured(changes)
        return market

    @field_validator("pool")
    @classmethod
    def _known_pool_parameters(cls, pool: dict[str, dict[str, str]]) -> dict[str, dict[str, str]]:
        for changes in pool.values():
            pool_params(changes)
        return pool


class Signal(_Section):
    """The signal engine (seed desk-agent, "Signal parameters"). Percentages are fractions."""

    enabled: bool = True
    entry_momentum_pct: Fraction = Decimal("0.0015")
    max_volatility_pct: Fraction = Decimal("0.03")
    require_active_session: bool = False
    momentum_lookback_ms: Annotated[int, Field(ge=1_000, le=86_400_000)] = 900_000


class Risk(_Section):
    """Limits on what a desk may do; leverage is further capped by the venue."""

    leverage: Multiple = Decimal(10)
    max_position_usdc: Money = Decimal(500)
    min_deploy_usdc: Money = Decimal(1)
    max_market_usdc: Money = Decimal(20_000)
    """Most collateral at risk on one market, over all desks; and in the wallet as a whole."""
    max_wallet_usdc: Money = Decimal(40_000)
    max_daily_usdc: Money = Decimal(20_000)
    """Most new collateral per UTC day."""
    open_interval_s: Annotated[int, Field(ge=0, le=86_400)] = 900
    """How soon a desk may open again after it opened."""
    reserve_pct: Fraction = Decimal("0.20")
    """Share of a desk's fee leg that is kept back until a position is liquidated."""
    early_take_profit_pct: Fraction = Decimal("0.30")
    """Profit, as a share of collateral, at which part is taken; again at twice it, three times ..."""
    take_profit_reduce_pct: Share = Decimal("0.25")
    max_drawdown_pct: Fraction = Decimal("0.40")
    """Loss, as a share of collateral, at which a position is reduced, once."""
    drawdown_reduce_pct: Share = Decimal("0.50")
    circuit_breaker_pct: Fraction = Decimal("0.50")
    """Loss at which a position is closed and its desk halted."""
    liquidation_warning_pct: Fraction = Decimal("0.15")
    """Warn when no more than this share of the collateral is left to lose before liquidation."""
    min_wallet_balance_eth: Annotated[Decimal, BeforeValidator(_exact), Field(ge=0, le=1_000)] = Decimal("0.05")
    """Nothing is opened with less gas than this, where orders need gas."""

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.max_drawdown_pct > self.circuit_breaker_pct:
            raise ValueError(
                f"max_drawdown_pct {self.max_drawdown_pct} is above circuit_breaker_pct: it would never act"
            )
        return self


class Venice(_Section):
    """The first tier of the agent. Keys come from the environment: VENICE_API_KEY, or VENICE_AUTO_MINT_KEY."""

    url: Annotated[str, AfterValidator(lambda url: str(checked_url(url, "Venice")))] = "https://api.venice.ai/api/v1"
    model: Annotated[str, Field(pattern=r"^[!-~]{0,128}$")] = ""
    """Empty: chosen at run time from what the server offers."""
    timeout_s: Seconds = Decimal(10)
    in_flight: Annotated[int, Field(ge=1, le=100)] = 10
    consumption_diem: Money = Decimal(1)
    """Most that a minted key may spend in a day; and in USD."""
    consumption_usd: Money = Decimal(1)


class Buybacks(_Section):
    """When queued USDC buys tokens back."""

    protocol_min_usdc: Annotated[Money, Field(gt=0)] = Decimal("0.5")
    creator_min_usdc: Annotated[Money, Field(gt=0)] = Decimal(5)
    max_usdc: Annotated[Money, Field(gt=0)] = Decimal(250)
    """Most that is spent at once."""
    slippage_pct: Annotated[Share, Field(le=Decimal("0.05"))] = Decimal("0.02")
    protocol_token: Annotated[str, Field(pattern=r"^(0x[0-9a-fA-F]{40})?$")] = ""
    """The protocol's own token; without one its leg waits. On paper it needs none."""
    drain_weth: Annotated[Decimal, BeforeValidator(_exact), Field(ge=0, le=100)] = Decimal(1)
    """Most WETH that lies in a live wallet at the start and is then spent on the protocol's token, which is burned: it
    was left by versions that bought by way of WETH. 0 leaves it alone."""
    router: Literal["2.0", "2.1.1"] = "2.0"
    """Version of the universal router that live buybacks use."""


class Alerts(_Section):
    """Whom perpdesk tells what goes wrong while nobody looks. Secrets belong into the environment."""

    near_liquidation_pct: Fraction = Decimal("0.01")
    """Told when the price need not move more than this, as a share of mark, to liquidate a position."""
    every_s: Annotated[Seconds, Field(ge=1)] = Decimal(30)
    """Least time between two messages to one place; what comes meanwhile goes together."""
    webhook: SecretStr | None = None
    """PERPDESK_ALERTS__WEBHOOK: takes a POST with JSON."""
    ntfy_url: str = "https://ntfy.sh"
    ntfy_topic: SecretStr | None = None
    """PERPDESK_ALERTS__NTFY_TOPIC: whoever knows the topic can read it."""
    telegram_url: str = "https://api.telegram.org"
    telegram_chat: str = ""
    telegram_token: SecretStr | None = None
    """PERPDESK_ALERTS__TELEGRAM_TOKEN: of the bot that writes to the chat."""


class MetricsPort(_Section):
    """Numbers for a monitoring system, on this machine only."""

    port: Annotated[int, Field(ge=0, le=65_535)] = 0
    """Of http://127.0.0.1, in the format of Prometheus; 0 serves nothing."""


class Index(_Section):
    """Tables for everybody's queries, in `index.db` beside the journal."""

    enabled: bool = True
    price_every_s: Annotated[Seconds, Field(ge=1)] = Decimal(10)
    """Time between two samples of index prices and marks."""
    price_days: Annotated[int, Field(ge=0, le=36_500)] = 7
    """How long they are kept; 0 is for ever."""
    block_days: Annotated[int, Field(ge=0, le=36_500)] = 30
    """How long the markets at every block are kept; 0 is for ever."""


class Token(_Section):
    """An enrolled launchpad token."""

    address: Annotated[str, Field(pattern=r"^0x[0-9a-fA-F]{40}$")]
    name: Annotated[str, Field(min_length=1, max_length=200)]
    underlying: Annotated[str, Field(max_length=24)] = ""
    """What the token was enrolled as: shown, never obeyed."""
    side: Literal["", "long", "short"] = ""
    leverage: Annotated[int, Field(ge=0, le=255)] = 0


class Desks(_Section):
    """The registry, as far as it is configured."""

    tokens: tuple[Token, ...] = ()
    csv: Path | None = None
    """A file with `address,name[,underlying,side,leverage]`; what the configuration says of a token goes before it."""

    @field_validator("tokens")
    @classmethod
    def _distinct(cls, tokens: tuple[Token, ...]) -> tuple[Token, ...]:
        addresses = [token.address.lower() for token in tokens]
        for address in addresses:
            if addresses.count(address) > 1:
                raise ValueError(f"address {address} is enrolled twice")
        return tokens


class Chain(_Section):
    """The way to Base. URLs may hold keys: they belong into BASE_RPC_URL, separated by commas."""

    confirmations: Annotated[int, Field(ge=1, le=100)] = 10
    """Blocks that must lie on top of a transaction before it is believed."""
    max_fee_gwei: Annotated[Decimal, BeforeValidator(_exact), Field(gt=0, le=1_000)] = Decimal(5)
    """Most per gas."""
    expires_blocks: Annotated[int, Field(ge=10, le=10_000)] = 150
    """A transaction that has not been mined by then is given up."""
    requests_per_s: Annotated[int, Field(ge=5, le=1_000)] = 50
    """Most that each host of BASE_RPC_URL is asked; twice as many at once."""


class WalletSettings(_Section):
    """The keystore, and where its password comes from; neither the key nor the password is ever a setting."""

    keystore: Path | None = None
    """None: `wallet.json` in the state directory."""
    more: tuple[Path, ...] = ()
    """Keystores of further wallets, with the same password: the venue limits what one may hold."""
    address: Annotated[str, Field(pattern=r"^(0x[0-9a-fA-F]{40})?$")] = ""
    """Refuses any other wallet, where it is set."""
    password_file: Path | None = None
    keyring: bool = False
    """Ask the desktop's keyring. With neither, the password is asked for at the terminal."""


class Avantis(_Section):
    """The live venue."""

    slippage_pct: Annotated[Decimal, BeforeValidator(_exact), Field(gt=0, le=Decimal("0.05"))] = Decimal("0.005")
    """How far an order may be filled from the price it was asked at."""
    max_execution_fee_eth: Annotated[Decimal, BeforeValidator(_exact), Field(ge=0, le=Decimal("0.001"))] = Decimal(
        "0.001"
    )
    route: Literal["transactions", "signed"] = "transactions"
    """How orders are sent: by transactions of the wallet's own, which need gas, or as signed intents by the venue's
    relay. What the other one has sent is followed to its end."""
    hosts: tuple[str, ...] = ("veranta.xyz", "avantisfi.com")
    """Families of servers, in the order in which they are asked; or URLs of servers on this machine."""
    pins: dict[
        Annotated[str, Field(pattern=r"^0x[0-9a-fA-F]{40}$")],
        Annotated[str, Field(pattern=r"^0x([0-9a-fA-F]{40}|[0-9a-fA-F]{64})$")],
    ] = Field(default_factory=dict)
    """By a contract's address, the implementation it must stand for, or the hash its code must have where it stands for
    none. Contracts that are not named are believed as they are first seen."""
