"""Scenarios on pool markets and the request layer. What `perpdesk simulate` runs for `"market": "pool"`."""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from fractions import Fraction
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from venue.exchange import machine
from venue.exchange.commands import Refused, Rejection
from venue.exchange.draft import Draft
from venue.exchange.ledger import EXTERNAL, WALLET, Ledger
from venue.exchange.machine import Command
from venue.exchange.pool import state as accounts
from venue.exchange.pool import value
from venue.exchange.pool.state import Pool, PoolPosition
from venue.exchange.pool.units import FLOAT, Prices, TokenPrice
from venue.exchange.requests import commands
from venue.exchange.requests.book import RequestRules
from venue.exchange.requests.request import NATIVE, Kind, OrderRequest, Request, kind_of, name_of
from venue.exchange.requests.work import least_fee
from venue.exchange.scenario.config import BAD_REQUEST, ScenarioError
from venue.exchange.scenario.pool_config import pool_params, request_rules
from venue.exchange.scenario.pool_ops import OPS, STEPS, SetPrice, Tick
from venue.exchange.state import Exchange
from venue.exchange.tokens import TOKENS

Json = dict[str, Any]
START_MS = 1_700_000_000_000
UNKNOWN_OP = "UNKNOWN_OP"
DECIMALS = {**{token.symbol: token.decimals for token in TOKENS.values()}, "USDT": 6}


class _PoolSpec(BaseModel):
    model_config = ConfigDict(extra="forbid")

    symbol: str
    index: str
    long: str
    short: str
    config: dict[str, object] = {}


DEFAULT_POOLS = ({"symbol": "ETH-USD", "index": "WETH", "long": "WETH", "short": "USDC"},)


class PoolSimulation:
    """An exchange with pools, one registered keeper named `keeper`, and a clock the scenario moves."""

    def __init__(self, rules: RequestRules) -> None:
        self.exchange = Exchange()
        self.now_ms = START_MS
        self._prices: dict[str, TokenPrice] = {}
        self.apply(commands.FoundExchange("simulation", rules))
        self.apply(commands.RegisterKeeper("keeper", frozen_orders=True))

    def apply(self, command: Command) -> tuple[machine.Fact, ...] | Rejection:
        """Decides and folds."""
        answer = machine.decide(self.exchange, command)
        for fact in () if isinstance(answer, Rejection) else answer:
            machine.evolve(self.exchange, fact)
        return answer

    def unit(self, token: str) -> int:
        """Smallest units of one token. Raises ValueError for an unknown one."""
        return int(10 ** _decimals(token))

    def pool_tokens(self, market: str) -> tuple[str, str, str]:
        """Index, long and short token; empty names for a market that is not there."""
        pool = self.exchange.pools.get(market)
        return (pool.index, pool.long, pool.short) if pool else ("", "", "")

    def request(self, number: int) -> tuple[Kind, str]:
        """Kind and key of the request with this number; ended ones are found too. Raises ValueError."""
        book = self.exchange.requests
        key = book.key(number)
        found = book.pending.get(key) or (book.ended[key].request if key in book.ended else None)
        if found is None:
            raise ValueError(f"request {number} was never created")
        return kind_of(found), key

    def prices(self) -> tuple[TokenPrice, ...]:
        """The prices set so far."""
        return tuple(self._prices.values())

    def fee(self, kind: str, hops: int, callback_units: int, given: Fraction | None) -> int:
        """The execution fee in smallest native units: what is given, or the least one."""
        if given is not None:
            return int(given * self.unit(NATIVE))
        return least_fee(self.exchange.requests.rules.work, kind, hops, callback_units)

    def run(self, op: object) -> Json:
        """The answer to one operation."""
        if not isinstance(op, dict):
            return _failed(BAD_REQUEST, "expected an object")
        kind = op.get("op")
        model = (OPS.get(kind) or STEPS.get(kind)) if isinstance(kind, str) else None
        if model is None:
            return _failed(UNKNOWN_OP, f"{kind!r:.40}; expected one of {', '.join((*OPS, *STEPS))}")
        try:
            request = model.model_validate(op)
            if isinstance(request, SetPrice | Tick):
                return self._step(request)
            command = request.command(self)
        except ValidationError as error:
            first = error.errors()[0]
            return _failed(BAD_REQUEST, f"{'.'.join(map(str, first['loc']))}: {first['msg']}")
        except ValueError as error:
            return _failed(BAD_REQUEST, str(error))
        return self._answer(command)

    def _step(self, step: SetPrice | Tick) -> Json:
        if isinstance(step, Tick):
            self.now_ms += step.seconds * 1000
            return {"ok": True}
        low = step.price if step.min is None else step.min
        high = step.price if step.max is None else step.max
        if low is None or high is None or not 0 < low <= high:
            raise ValueError("price: expected price, or min and max with 0 < min <= max")
        scale = Fraction(FLOAT, self.unit(step.token))
        stamp = self.now_ms - step.age * 1000
        self._prices[step.token] = TokenPrice(step.token, int(low * scale), int(high * scale), stamp)
        return {"ok": True}

    def _answer(self, command: Command) -> Json:
        answer = self.apply(command)
        if isinstance(answer, Rejection):
            return _failed(answer.code, answer.detail)
        told: Json = {"ok": True}
        for fact in answer:
            told |= _shown(fact)
        if len(answer) and type(answer[0]).__name__.endswith("Created"):
            told["request"] = self.exchange.requests.nonce
        return told

    def state(self) -> Json:
        """Pools with what is in them, positions, requests, wallets and vaults; amounts exact in their own decimals."""
        exchange = self.exchange
        return {
            "pools": {symbol: self._pool(pool) for symbol, pool in exchange.pools.items()},
            "positions": [_position(exchange, position) for position in exchange.pool_positions.values()],
            "requests": [_request(request) for request in exchange.requests.pending.values()],
            "wallets": _holders(exchange.tokens, lambda account: account.startswith(WALLET)),
            "vaults": _holders(exchange.tokens, lambda account: account.endswith("_vault")),
        }

    def _pool(self, pool: Pool) -> Json:
        exchange, symbol = self.exchange, pool.symbol

        def held(account: str) -> Json:
            return {token: _text(exchange.book(token)[account], token) for token in (pool.long, pool.short)}

        told: Json = {
            "pool": held(accounts.liquidity(symbol)),
            "swapImpactPool": held(accounts.impact_pool(symbol)),
            "claimableFees": held(accounts.fees(symbol)),
            "positionImpactPool": _text(pool.position_impact, pool.index),
            "supply": exact(-exchange.book(pool.market_token)[EXTERNAL], 18),
            "longOpenInterest": exact(pool.long_interest.usd, 30),
            "shortOpenInterest": exact(pool.short_interest.usd, 30),
        }
        try:
            draft, prices, factor = Draft(exchange, self.now_ms), Prices(self.prices()), pool.params.max_pnl_deposits
            told["poolValue"] = exact(value.pool_value(draft, pool, prices, factor, maximize=True), 30)
            price = value.market_token_price(draft, pool, prices, factor, maximize=True)
            told["marketTokenPrice"] = exact(price, 30)
        except Refused:
            told["poolValue"] = told["marketTokenPrice"] = None
        return told


def run_pool(scenario: Mapping[str, object]) -> Json:
    """Results and final state of a pool scenario. Raises ScenarioError for one that cannot be run at all."""
    unknown = scenario.keys() - {"market", "title", "config", "pools", "ops"}
    if unknown:
        raise ScenarioError(BAD_REQUEST, f"key {min(unknown)!r} is unknown; expected market, config, pools and ops")
    config, ops, pools = scenario.get("config", {}), scenario.get("ops"), scenario.get("pools", list(DEFAULT_POOLS))
    if not isinstance(ops, list):
        raise ScenarioError(BAD_REQUEST, "ops: expected a list of operations")
    if not isinstance(config, dict):
        raise ScenarioError(BAD_REQUEST, "config: expected an object")
    if not isinstance(pools, list):
        raise ScenarioError(BAD_REQUEST, "pools: expected a list")
    params = pool_params(config)
    simulation = PoolSimulation(request_rules(config))
    for spec in pools:
        answer = simulation.apply(_listed(spec, params))
        if isinstance(answer, Rejection):
            raise ScenarioError(BAD_REQUEST, f"pools: {answer.detail}")
    return {"results": [simulation.run(op) for op in ops], "state": simulation.state()}


def _listed(spec: object, params: Any) -> commands.ListPool:  # noqa: ANN401
    try:
        found = _PoolSpec.model_validate(spec)
        for token in (found.index, found.long, found.short):
            _decimals(token)
    except ValueError as error:
        raise ScenarioError(BAD_REQUEST, f"pools: {str(error).splitlines()[-1].strip():.200}") from None
    if found.long == found.short or not found.symbol:
        raise ScenarioError(BAD_REQUEST, f"pools: {found.symbol!r}: expected a name and two different tokens")
    return commands.ListPool(found.symbol, found.index, found.long, found.short, pool_params(found.config, params))


def _decimals(token: str) -> int:
    if token not in DECIMALS:
        raise ValueError(f"token {token!r:.40}: expected one of {', '.join(DECIMALS)}")
    return DECIMALS[token]


def exact(amount: int, decimals: int) -> str:
    """An integer of 10**-decimals as a decimal string with all its digits."""
    whole, fraction = divmod(abs(amount), 10**decimals)
    return f"{'-' if amount < 0 else ''}{whole}.{fraction:0{decimals}d}" if decimals else str(amount)


def _text(amount: int, token: str) -> str:
    return exact(amount, 18 if token.startswith("MT:") else DECIMALS.get(token, 18))


def _holders(tokens: Mapping[str, Ledger], wanted: Any) -> Json:  # noqa: ANN401
    found: Json = {}
    for token, ledger in tokens.items():
        for account, amount in ledger.balances.items():
            if amount and wanted(account):
                found.setdefault(account.removeprefix(WALLET), {})[token] = _text(amount, token)
    return found


def _position(exchange: Exchange, position: PoolPosition) -> Json:
    index = exchange.pools[position.market].index
    return {
        "account": position.account,
        "market": position.market,
        "side": "long" if position.is_long else "short",
        "collateralToken": position.collateral_token,
        "size": exact(position.size, 30),
        "sizeInTokens": _text(position.tokens, index),
        "collateral": _text(position.collateral, position.collateral_token),
        "pendingImpact": _text(position.pending_impact, index),
    }


def _request(request: Request) -> Json:
    return {
        "key": request.key,
        "type": name_of(request),
        "account": request.account,
        "frozen": isinstance(request, OrderRequest) and request.frozen,
        "executionFee": exact(request.execution_fee, 18),
    }


def _shown(fact: machine.Fact) -> Json:
    """A fact as JSON: every number in smallest units (USD and prices 1e-30) as a string, money movements left out."""
    name = type(fact).__name__
    return {name[0].lower() + name[1:]: _plain(fact)}


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)


def _plain(thing: Any) -> Any:  # noqa: ANN401 - walks any fact
    if isinstance(thing, bool | str) or thing is None:
        return thing
    if isinstance(thing, int):
        return str(thing)
    if isinstance(thing, tuple):
        return [_plain(item) for item in thing]
    if is_dataclass(thing):
        names = (field.name for field in fields(thing))
        return {_camel(each): _plain(getattr(thing, each)) for each in names if each not in ("changes", "moves")}
    return str(thing)


def _failed(code: str, detail: str) -> Json:
    return {"ok": False, "error": str(code), "detail": detail[:300]}
