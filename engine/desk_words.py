"""What happened to desks and their money, in words for people."""

from dataclasses import dataclass

from engine.desks import facts
from engine.desks.facts import Fact, OrderKind
from engine.text import clean, money
from venue.exchange.fixed import WAD


@dataclass(frozen=True, slots=True)
class Told:
    """A fact in words. `address` is empty for what concerns no desk, `source` when nobody in particular did it."""

    address: str
    kind: str
    text: str
    source: str = ""


def tell_desk(fact: Fact) -> Told | None:
    """One line about a fact worth reading; None for the others."""
    return _tell_life(fact) or _tell_order(fact) or _tell_guard(fact) or _tell_money(fact)


def _tell_life(fact: Fact) -> Told | None:
    match fact:
        case facts.TokenEnrolled():
            return Told(fact.address, "enrolled", f"{fact.name} enrolled")
        case facts.DeskPinned():
            return Told(fact.address, "wallet", f"its money is in {fact.wallet}")
        case facts.DecisionAsked():
            return Told(fact.address, "asked", f"the agent is asked about {money(fact.sight.pending)} USDC", "manager")
        case facts.Decided():
            verdict = f"{_side(fact)} {fact.market} {fact.leverage // WAD}x" if fact.opens else "no entry"
            capped = f" (wanted {fact.asked_leverage}x)" if fact.asked_leverage > fact.leverage // WAD > 0 else ""
            degraded = f"; {fact.degraded}" if fact.degraded else ""
            return Told(fact.address, "decision", clean(f"{verdict}{capped}; {fact.reason}{degraded}"), fact.source)
        case facts.Deferred():
            return Told(fact.address, "deferred", f"{fact.code}: {fact.reason}", "manager")
        case facts.RunArmed():
            return Told("", "live", f"live orders confirmed by {fact.who}", fact.who)
        case facts.DeskHalted():
            return Told(fact.address, "halt", f"halted by {fact.who}", fact.who)
        case facts.DeskResumed():
            return Told(fact.address, "resume", f"resumed by {fact.who}", fact.who)
    return None


def _tell_guard(fact: Fact) -> Told | None:
    match fact:
        case facts.GuardSpoke() if fact.active:
            numbers = f"{fact.measured / 1e6:.1%} against {fact.limit / 1e6:.1%}"
            return Told(fact.address, "guard", f"{fact.rule}: {numbers}; {fact.does}", "guard")
        case facts.DeskQuarantined():
            return Told(fact.address, "quarantine", clean(f"quarantined by {fact.who}: {fact.why}"), fact.who)
        case facts.DeskReleased():
            return Told(fact.address, "release", f"released by {fact.who}", fact.who)
        case facts.DeskNoted():
            words = clean(f"{fact.who}: {fact.text}") if fact.text else f"note taken away by {fact.who}"
            return Told(fact.address, "note", words, fact.who)
        case facts.AlarmAcknowledged():
            return Told("", "alarm", clean(f"acknowledged by {fact.who}: {fact.text}"), fact.who)
        case facts.DeskLiquidated():
            text = f"desk liquidated, {money(fact.loss)} USDC lost, {money(fact.payout)} back"
            return Told(fact.address, "liquidation", text, "venue")
    return None


def _tell_order(fact: Fact) -> Told | None:
    match fact:
        case facts.OrderIntended():
            what = f"{_side(fact)} {fact.market}"
            amount = f" with {money(fact.collateral)} USDC" if fact.kind.adds_risk else ""
            share = f" by {fact.share / 1e6:.0%}" if fact.kind is OrderKind.REDUCE else ""
            why = f", {fact.rule}" if fact.rule else ""
            return Told(fact.address, "order", f"{fact.kind} {what}{amount}{share} sent by {fact.who}{why}", fact.who)
        case facts.OrderFilled():
            back = "" if fact.kind.adds_risk else f", {money(fact.payout)} USDC back"
            at = f"{money(fact.notional)} at {money(fact.price, WAD)}"
            return Told(fact.address, fact.kind.value, f"{_side(fact)} {fact.market} {at}{back}", "venue")
        case facts.OrderDeclined():
            return Told(fact.address, "declined", f"{fact.kind} refused: {fact.code} {fact.detail}", "venue")
        case facts.OrderUnsettled():
            return Told(fact.address, "unknown", f"{fact.kind}: the venue's answer is not known yet", "venue")
    return None


def _tell_money(fact: Fact) -> Told | None:
    match fact:
        case facts.FeesArrived():
            kept = sum(move.amount for move in fact.moves if move.target.startswith(("pending:", "reserve:")))
            return Told(fact.address, "fees", f"fees {money(fact.amount)} USDC, {money(kept)} of it for the desk")
        case facts.WalletReconciled():
            return Told("", "wallet", f"the wallet was counted {money(fact.off)} USDC off; booked as a difference")
        case facts.BuybackIntended():
            return Told(fact.address, "buyback", f"buying {_token(fact)} for {money(fact.amount)} USDC", "buyback")
        case facts.BuybackFilled():
            burned = ", burned" if fact.burned else ""
            text = f"{money(fact.spent)} USDC bought {money(fact.bought, WAD)} {_token(fact)}{burned}"
            return Told(fact.address, "buyback", text, "buyback")
        case facts.BuybackDeclined():
            return Told(fact.address, "buyback", clean(f"buyback refused: {fact.code} {fact.detail}"), "buyback")
        case facts.BuybackUnsettled():
            return Told(fact.address, "unknown", "buyback: the answer is not known yet", "buyback")
    return None


def _token(fact: facts.BuybackIntended | facts.BuybackFilled) -> str:
    return "the token" if fact.address else "PUM"


def _side(fact: facts.Decided | facts.OrderIntended | facts.OrderFilled) -> str:
    return "long" if fact.is_long else "short"
