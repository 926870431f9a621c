"""Scenarios: a list of operations on one market, in and out as plain JSON data. What `perpdesk simulate` runs.

Numbers are strings, decimals or fractions such as "1/3". An operation that fails changes nothing and yields its code.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import ValidationError

from venue.exchange import commands, machine
from venue.exchange.commands import Code, Rejection
from venue.exchange.fixed import to_text
from venue.exchange.ledger import INSURANCE, PROTOCOL_FEES, TRADE_FUND, WALLET
from venue.exchange.machine import Fact
from venue.exchange.params import MarketParams
from venue.exchange.scenario.answers import Json, market_state, position_state, shown
from venue.exchange.scenario.config import BAD_REQUEST, ScenarioError, configured
from venue.exchange.scenario.ops import OPS
from venue.exchange.scenario.pool import run_pool
from venue.exchange.state import Exchange

__all__ = ["Json", "ScenarioError", "Simulation", "run"]
SYMBOL = "SIM"
UNKNOWN_OP = "UNKNOWN_OP"


@dataclass(slots=True)
class Simulation:
    """An exchange on which operations are tried."""

    exchange: Exchange
    market: str

    @classmethod
    def fresh(cls, params: MarketParams) -> "Simulation":
        """One market with these parameters, and nobody on it."""
        simulation = cls(Exchange(), SYMBOL)
        simulation.apply(commands.ListMarket(SYMBOL, params))
        return simulation

    def apply(self, command: machine.Command) -> tuple[Fact, ...] | Rejection:
        """Decides and folds."""
        answer = machine.decide(self.exchange, command)
        for fact in () if isinstance(answer, Rejection) else answer:
            machine.evolve(self.exchange, fact)
        return answer

    def run(self, op: object) -> Json:
        """The answer to one operation."""
        if not isinstance(op, dict):
            return _failed(BAD_REQUEST)
        kind = op.get("op")
        if not isinstance(kind, str) or kind not in OPS:
            return _failed(UNKNOWN_OP)
        try:
            request = OPS[kind].model_validate(op)
        except ValidationError:
            return _failed(BAD_REQUEST)
        held = self.exchange.positions.get(getattr(request, "position", 0))
        if held is not None and held.market != self.market:
            return _failed(Code.UNKNOWN_POSITION)
        answer = self.apply(request.command(self.market))
        if isinstance(answer, Rejection):
            return _failed(answer.code)
        return {"ok": True} | shown(self.exchange.markets[self.market], answer[-1])

    def state(self) -> Json:
        """Market, funds and positions, open ones with their health."""
        exchange, market = self.exchange, self.exchange.markets[self.market]
        ledger = exchange.ledger
        return {
            "market": market_state(exchange, market),
            "funds": {
                "userWallets": {
                    account.removeprefix(WALLET): to_text(amount)
                    for account, amount in ledger.balances.items()
                    if account.startswith(WALLET)
                },
                "tradeFund": to_text(ledger[TRADE_FUND]),
                "insuranceFund": to_text(ledger[INSURANCE]),
                "protocolFees": to_text(ledger[PROTOCOL_FEES]),
                "uncoveredBadDebt": to_text(exchange.uncovered_bad_debt),
            },
            "positions": [
                position_state(market, position)
                for position in exchange.positions.values()
                if position.market == self.market
            ],
        }


def run(scenario: object, simulation: Simulation | None = None) -> Json:
    """Results and final state of a scenario: a list of operations, or `{"config": ..., "ops": [...]}`.

    With a `simulation` the operations are tried on its state, and a config is refused. Raises ScenarioError.
    """
    if isinstance(scenario, dict) and "market" in scenario:
        return _on_a_pool(scenario, simulation)
    config, ops = _parts(scenario)
    if simulation is None:
        simulation = Simulation.fresh(configured(config))
    elif config:
        raise ScenarioError(BAD_REQUEST, "config: the market of a running exchange is already configured")
    return {"results": [simulation.run(op) for op in ops], "state": simulation.state()}


def _on_a_pool(scenario: Mapping[str, object], simulation: Simulation | None) -> Json:
    if scenario["market"] != "pool":
        raise ScenarioError(BAD_REQUEST, f"market: {scenario['market']!r:.40}: expected pool, or no such key")
    if simulation is not None:
        raise ScenarioError(BAD_REQUEST, "market: pool scenarios start from nothing; expected no --from-state")
    return run_pool(scenario)


def _parts(scenario: object) -> tuple[Mapping[str, object], list[object]]:
    if isinstance(scenario, list):
        return {}, scenario
    if not isinstance(scenario, dict):
        raise ScenarioError(BAD_REQUEST, "expected a list of operations, or an object with config and ops")
    unknown = scenario.keys() - {"config", "ops", "title"}
    if unknown:
        raise ScenarioError(BAD_REQUEST, f"key {min(unknown)!r} is unknown; expected config and ops")
    config, ops = scenario.get("config", {}), scenario.get("ops")
    if not isinstance(ops, list):
        raise ScenarioError(BAD_REQUEST, "ops: expected a list of operations")
    if not isinstance(config, dict):
        raise ScenarioError(BAD_REQUEST, "config: expected an object")
    return config, ops


def _failed(code: str) -> Json:
    return {"ok": False, "error": str(code)}
