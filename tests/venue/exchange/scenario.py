"""Runs a scenario (a list of operations on one market, numbers as strings) against the machine."""

from fractions import Fraction
from typing import Any

from venue.exchange import commands, machine
from venue.exchange.clearinghouse import fee_rate
from venue.exchange.facts import Fact
from venue.exchange.fixed import WAD, down, to_text
from venue.exchange.ledger import INSURANCE, PROTOCOL_FEES, TRADE_FUND, wallet
from venue.exchange.params import MarketParams
from venue.exchange.state import Exchange, Position

SYMBOL = "X"
LITERAL = MarketParams(max_open_move=None)
FIELDS = {
    "margin": "margin",
    "notional": "notional",
    "fee": "fee",
    "baseSize": "size",
    "payout": "payout",
    "pnlTrade": "pnl_trade",
    "carryPnl": "pnl_carry",
    "closeNotional": "close_notional",
    "equity": "equity",
    "userPayout": "owner_payout",
    "liqFeePaid": "liquidator_fee",
    "fromInsurance": "from_insurance",
    "uncovered": "uncovered",
}


def wad(text: str) -> int:
    number = Fraction(text)
    return down(number.numerator * WAD, number.denominator)


def exchange(params: MarketParams = LITERAL) -> Exchange:
    state = Exchange()
    apply(state, commands.ListMarket(SYMBOL, params))
    return state


def apply(state: Exchange, command: commands.Command) -> tuple[Fact, ...] | commands.Rejection:
    answer = machine.decide(state, command)
    if not isinstance(answer, commands.Rejection):
        for fact in answer:
            machine.evolve(state, fact)
    return answer


def command(op: dict[str, Any]) -> commands.Command:
    match op["op"]:
        case "deposit":
            return commands.Deposit(op["user"], wad(op["amount"]))
        case "withdraw":
            return commands.Withdraw(op["user"], wad(op["amount"]))
        case "fund_insurance":
            return commands.FundInsurance(wad(op["amount"]))
        case "tick":
            return commands.AdvanceBlock(int(op["blocks"]))
        case "open":
            return commands.OpenPosition(
                user=op["user"],
                market=SYMBOL,
                is_long=op["side"] == "long",
                total=wad(op["total"]),
                leverage=Fraction(op["leverage"]),
            )
        case "increase":
            return commands.IncreasePosition(
                user=op["user"],
                position_id=op["position"],
                total=wad(op["total"]),
                leverage=Fraction(op["leverage"]),
            )
        case "close":
            return commands.ClosePosition(
                user=op["user"], position_id=op["position"], part=Fraction(op.get("part", "1"))
            )
        case "liquidate":
            return commands.LiquidatePosition(op["liquidator"], op["position"])
    raise AssertionError(op)


def shown(answer: tuple[Fact, ...] | commands.Rejection, expected: dict[str, Any]) -> dict[str, Any]:
    """The answer with those of the expected keys that the machine's facts carry."""
    if isinstance(answer, commands.Rejection):
        return {"ok": False, "error": answer.code.value}
    fact = answer[-1]
    return {"ok": True} | {key: to_text(getattr(fact, FIELDS[key])) for key in expected if key in FIELDS}


def state_of(state: Exchange) -> dict[str, Any]:
    market = state.markets[SYMBOL]
    ledger = state.ledger
    owners = {position.owner for position in state.positions.values()}
    users = owners | {name.removeprefix("wallet:") for name in ledger.balances if name.startswith("wallet:")}
    return {
        "market": {
            "baseReserve": to_text(market.base_reserve),
            "quoteReserve": to_text(market.quote_reserve),
            "k": to_text(market.base_reserve * market.quote_reserve, WAD * WAD),
            "markPrice": to_text(market.mark),
            "longOpenInterest": to_text(market.long_oi),
            "shortOpenInterest": to_text(market.short_oi),
            "cumulativeCarryIndex": to_text(market.carry_index, market.params.index_scale),
            "currentBlock": state.block,
            "lastFundingBlock": market.last_funding_block,
            "feeRate": to_text(*fee_rate(market)),
        },
        "funds": {
            "userWallets": {user: to_text(ledger[wallet(user)]) for user in sorted(users)},
            "tradeFund": to_text(ledger[TRADE_FUND]),
            "insuranceFund": to_text(ledger[INSURANCE]),
            "protocolFees": to_text(ledger[PROTOCOL_FEES]),
            "uncoveredBadDebt": to_text(state.uncovered_bad_debt),
        },
        "positions": [_position(position) for position in state.positions.values()],
    }


def _position(position: Position) -> dict[str, Any]:
    return {
        "id": position.id,
        "userId": position.owner,
        "isLong": position.is_long,
        "baseSize": to_text(position.size),
        "entryPrice": to_text(position.entry_notional * WAD // position.size),
        "entryNotional": to_text(position.entry_notional),
        "margin": to_text(position.margin),
        "carrySnapshot": to_text(position.carry_snapshot, LITERAL.index_scale),
        "openBlock": position.open_block,
        "status": position.status.value,
        "realizedPnl": to_text(position.realized_pnl),
    }
