"""Orders as signed intents: no gas, one hand-over, and an end that the chain tells.

The journal has the intent before anything is sent, and that it is about to be sent before it is. Whatever breaks after
that is settled by reading the chain: whether its nonce is used, which order that registered, how that ended. What the
relay says, a refusal as well, is journaled and ends nothing. `pass_once` does for every intent that has not ended
whatever comes next, and recovery is the same pass.
"""

import asyncio
from collections.abc import Callable
from typing import Final, assert_never

from venue.avantis import intent_log
from venue.avantis.asked import Order
from venue.avantis.direct import Done, Ending, NoEffect, RouteCode, Unclear, UnderWay
from venue.avantis.intent_facts import Heard, IntentResult, Source
from venue.avantis.intent_log import LogCode, Refusal
from venue.avantis.intent_state import EndedIntent, OpenIntent
from venue.avantis.intent_words import asked_of, doubt, event_of, execution_of, intent_of, signed_fact, track_of
from venue.avantis.intents import IntentCode, IntentRefused
from venue.avantis.registered import Ambiguous, Cancellation, Execution
from venue.avantis.relay import NotJournaled, Outcome, Rejected, RelayCode, Unsettled
from venue.avantis.resolve import due_ms, record_found, resolve
from venue.avantis.signed_ports import Chain, Deep, Door, Hands, Times
from venue.avantis.tracking import Track, Verdict, nonce_slot, verdict
from venue.avantis.typed_signer import IntentChecker, IntentSigner, SignedIntent
from venue.avantis.wire import AvantisError
from venue.chain.rpc import RpcError

AT_ONCE: Final = 16
"""Intents looked at side by side in a pass."""


class SignedRoute:
    """Route over signed intents. `now_ms` is Unix milliseconds, `new_nonce` a random number of 256 bits."""

    def __init__(
        self,
        door: Door,
        relay: Hands,
        chain: Chain,
        checker: IntentChecker,
        signer: IntentSigner,
        now_ms: Callable[[], int],
        new_nonce: Callable[[], int],
        times: Times | None = None,
    ) -> None:
        self._door = door
        self._relay = relay
        self._chain = chain
        self._checker = checker
        self._signer = signer
        self._now_ms = now_ms
        self._new_nonce = new_nonce
        self._times = times or Times()
        self._in_hand: set[str] = set()
        self._streams: dict[str, asyncio.Task[None]] = {}
        self.waiting: dict[str, str] = {}
        """Why intents wait that a person should know of, by id of the order."""
        self._contradictions: dict[str, str] = {}
        """Why the chain's answer to how an order ended is none, as of the last pass that got one."""

    async def send(self, order_id: str, asked: Order) -> NoEffect | None:
        """Signs, journals and hands over, and returns once the relay has named its tracking id or will not.

        The same id again has no effect, whatever is asked. Raises what the journal raises.
        """
        if order_id in self._in_hand:
            return None
        self._in_hand.add(order_id)
        try:
            known = await self._standing(order_id)
            if known is None:
                return await self._first(order_id, asked)
            return _no_effect(known) if isinstance(known, EndedIntent) else None
        finally:
            self._in_hand.discard(order_id)

    async def ending(self, order_id: str) -> Ending:
        """What became of it, by the journal; `pass_once` finds out."""
        if order_id in self._in_hand:
            return UnderWay()
        known = await self._standing(order_id)
        if isinstance(known, OpenIntent) and not known.submitting:
            await self._door.submit(intent_log.Abandon(order_id))
            known = await self._standing(order_id)
        match known:
            case None:
                return NoEffect(RouteCode.NEVER_SENT, "nothing was ever signed for it")
            case EndedIntent():
                return _no_effect(known) or _done(known)
            case OpenIntent():
                return self._unsettled(known)
            case _:
                assert_never(known)

    async def knows(self, order_id: str) -> bool:
        return order_id in self._in_hand or await self._standing(order_id) is not None

    async def waiting_until(self, *, silent: bool = False) -> dict[str, int]:
        """Until when, Unix milliseconds, orders without an end may still be taken; by then the chain has decided.

        `silent`: only those the relay has given up, or never named.
        """
        orders = await self._ours()
        return {order.signed.order_id: self._due_ms(order) for order in orders if not silent or self._untold(order)}

    async def resolve(self, order_id: str, found: Execution | Cancellation, why: str) -> Refusal | None:
        """A person has found out how it ended, and says why that is certain. Refused while it may still be taken."""
        return await resolve(self._door, order_id, found, why, self._now_ms, self._times)

    async def pass_once(self) -> str:
        """One look at every intent that has not ended. Raises what the journal raises."""
        await self._harvest(*self._streams)
        orders = await self._ours()
        ids = dict.fromkeys(order.signed.order_id for order in orders)  # in the order of the journal
        self.waiting = {order_id: why for order_id, why in self.waiting.items() if order_id in ids}
        self._contradictions = {order_id: why for order_id, why in self._contradictions.items() if order_id in ids}
        if not orders:
            return "nothing open"
        try:
            deep = await self._chain.deep()
        except (RpcError, AvantisError) as error:
            deep, silent = None, f", and the chain does not answer: {error}"
        else:
            silent = ""
        gate = asyncio.Semaphore(AT_ONCE)

        async def one(order_id: str) -> None:
            async with gate:
                if order_id not in self._in_hand and order_id not in self._streams:
                    await self._advance(order_id, deep)

        looks = (one(order_id) for order_id in ids)
        ends = await asyncio.gather(*looks, return_exceptions=True)  # none of them goes on beside the next pass
        for fault in filter(None, ends):
            raise fault
        return f"{len(orders)} open{silent}"

    async def aclose(self) -> None:
        """Leaves the streams; what they would have told is asked for in a later pass."""
        for task in self._streams.values():
            task.cancel()
        await asyncio.gather(*self._streams.values(), return_exceptions=True)
        self._streams.clear()

    async def _first(self, order_id: str, asked: Order) -> NoEffect | None:
        try:
            opened_at, times = self._chain.opened_at, self._times
            intent = await intent_of(asked, opened_at, lambda: self._now_ms() + times.life_ms, self._new_nonce())
            if intent is None:
                return NoEffect(IntentCode.POSITION_UNKNOWN, "there is no such position")
            signed = self._signer.signed(self._checker.passes(intent))
        except IntentRefused as refused:
            return NoEffect(refused.code, str(refused))
        except (RpcError, AvantisError) as error:
            return NoEffect(RouteCode.NO_CHAIN, f"{error.code}: {error}")
        answer = await self._door.submit(intent_log.RecordSigned(signed_fact(order_id, intent, signed)))
        if isinstance(answer, Refusal):
            return NoEffect(answer.code, answer.detail)
        answer = await self._door.submit(intent_log.BeginSubmit(order_id))
        if not isinstance(answer, Refusal):
            await self._start(order_id, signed)
        known = await self._standing(order_id)
        return _no_effect(known) if isinstance(known, EndedIntent) else None

    async def _start(self, order_id: str, signed: SignedIntent) -> None:
        """Hands over, the only time, and waits until the relay has it; the stream is listened to from then on."""
        accepted = asyncio.get_running_loop().create_future()

        async def on_accepted(tracking_id: str) -> None:
            await self._door.submit(intent_log.RecordTracked(order_id, tracking_id))
            if not accepted.done():
                accepted.set_result(None)

        async def stream() -> None:
            await self._outcome(order_id, await self._relay.submit(signed, on_accepted))

        task = self._streams[order_id] = asyncio.create_task(stream())
        await asyncio.wait((task, accepted), return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            await self._harvest(order_id)

    async def _harvest(self, *order_ids: str) -> None:
        """Forgets streams that are over. Raises what the journal raised in them."""
        for order_id in [order_id for order_id in order_ids if self._streams[order_id].done()]:
            task = self._streams.pop(order_id)
            try:
                await task
            except NotJournaled as error:
                raise error.__cause__ or error from None

    async def _outcome(self, order_id: str, outcome: Outcome) -> None:
        match outcome:
            case Rejected(RelayCode.ALREADY_SENT, text):
                self.waiting[order_id] = text
            case Rejected(code, text):
                await self._door.submit(intent_log.RecordUnsent(order_id, f"{code}: {text}"))
            case Unsettled(code, track):
                if code is not RelayCode.NO_END:  # which is only that it has not ended yet
                    self.waiting[order_id] = f"{code}: the relay has told no end"
                await self._heard(order_id, track)
            case Track():
                await self._heard(order_id, outcome)

    async def _heard(self, order_id: str, track: Track) -> None:
        known = await self._standing(order_id)
        if isinstance(known, OpenIntent):
            await self._door.submit(intent_log.RecordHeard(event_of(known, track)))

    async def _advance(self, order_id: str, deep: Deep | None) -> None:
        """The next thing to be done for an intent, and all that follows from it."""
        order = await self._standing(order_id)
        if not isinstance(order, OpenIntent):
            return
        self.waiting.pop(order_id, None)
        if not order.submitting:
            await self._door.submit(intent_log.Abandon(order_id))
            return
        if order.tracking_id and not order.told_end:
            await self._follow(order)
        try:
            if deep is not None:
                await self._judge(order_id, deep)
            await self._look_back(order_id)
            self._contradictions.pop(order_id, None)
        except Ambiguous as error:
            self._contradictions[order_id] = self.waiting[order_id] = str(error)
        except (RpcError, AvantisError) as error:
            self.waiting[order_id] = str(error)

    async def _follow(self, order: OpenIntent) -> None:
        async def known(_: str) -> None:
            return

        await self._outcome(order.signed.order_id, await self._relay.follow(track_of(order), known))

    async def _judge(self, order_id: str, deep: Deep) -> None:
        """Asks the chain for the nonce: as of one block, so that nothing is unused and too late at different times."""
        order = await self._standing(order_id)
        if not isinstance(order, OpenIntent) or order.taken_block is not None:
            return
        nonce = order.signed.nonce
        word = await self._chain.nonce_word(nonce_slot(nonce)[0], deep.block)
        match verdict(word, nonce, self._due_ms(order), deep.time_s):
            case Verdict.USED:
                await self._door.submit(intent_log.RecordTaken(order_id, deep.block))
            case Verdict.NEVER:
                answer = await self._door.submit(intent_log.RecordNever(order_id))
                if isinstance(answer, Refusal):
                    self.waiting[order_id] = answer.detail
            case Verdict.OPEN:
                pass

    async def _look_back(self, order_id: str) -> None:
        """Asks the chain for the end of what it has. Raises Ambiguous as well."""
        order = await self._standing(order_id)
        if not isinstance(order, OpenIntent) or order.taken_block is None:
            return
        if (found := await self._chain.history(order)) is not None:
            why = "" if isinstance(found, Execution) else "the venue gave the order back"
            refused = await record_found(self._door, order_id, found, Source.CHAIN, why)
            if refused and refused.code is not LogCode.ALREADY_ENDED:
                raise Ambiguous(refused.detail)

    async def _standing(self, order_id: str) -> OpenIntent | EndedIntent | None:
        return await self._door.read(lambda intents: intents.open.get(order_id) or intents.ended.get(order_id))

    async def _ours(self) -> list[OpenIntent]:
        """What has not ended of this wallet: another's nonces say nothing of its own."""
        mine = self._checker.wallet
        return await self._door.read(lambda all_: [one for one in all_.open.values() if one.signed.trader == mine])

    def _untold(self, order: OpenIntent) -> bool:
        if order.taken_block is not None or order.signed.order_id in self._in_hand:
            return False
        return order.stage is Heard.FAILED or (order.submitting and not order.tracking_id)

    def _due_ms(self, order: OpenIntent) -> int:
        return due_ms(order, self._times)

    def _late(self, order: OpenIntent) -> bool:
        return self._now_ms() > self._due_ms(order) + self._times.patience_ms

    def _unsettled(self, order: OpenIntent) -> Unclear | UnderWay:
        contradiction = self._contradictions.get(order.signed.order_id, "")
        if why := doubt(order, contradiction, late=self._late(order)):
            return Unclear(why, stuck=True)
        if order.taken_block is not None or (order.tracking_id and order.stage is not Heard.FAILED):
            return UnderWay()
        told = f"the relay gave up: {order.code}" if order.stage is Heard.FAILED else "handed over, and no answer came"
        return Unclear(f"{told}; the chain decides, it may be taken until {self._due_ms(order)} ms")


def _no_effect(known: EndedIntent) -> NoEffect | None:
    ended = known.ended
    return None if ended.result is IntentResult.DONE else NoEffect(ended.result, ended.detail)


def _done(known: EndedIntent) -> Done:
    return Done(asked_of(known.signed), execution_of(known.ended))
