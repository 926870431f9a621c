"""One endpoint among others: the way to it, how it is doing, and its host's budget. Pure: times are the caller's."""

from dataclasses import dataclass

from venue.chain.bucket import Bucket
from venue.chain.envelope import RpcCode, RpcError
from venue.chain.health import MAX_PAUSE_S, Health, Phase, Row
from venue.chain.rpc import Rpc


@dataclass(eq=False, slots=True)
class Endpoint:
    """A node, and everything that is remembered of it."""

    rpc: Rpc
    health: Health
    bucket: Bucket
    """Its host's."""
    queued: int = 0
    """Questions that wait for their turn."""

    @property
    def block(self) -> int:
        """The newest it said it has."""
        return self.health.block or 0

    def failed(self, error: RpcError, now_s: float, pause_s: float) -> None:
        """Draws the consequences of an error; `pause_s` is for a host that does not say how long."""
        self.health.failed(error, now_s)
        if error.code is RpcCode.RATE_LIMITED:
            self.bucket.pause(now_s, min(error.retry_after_s or pause_s, MAX_PAUSE_S))

    def phase(self, now_s: float, urgent: bool) -> Phase:
        return self.health.phase(now_s, self.bucket.paused_until_s, urgent)

    def rank(self, now_s: float, urgent: bool) -> tuple[bool, bool, float, int, float]:
        """The less, the sooner it is asked."""
        disturbed = self.phase(now_s, urgent=False) in (Phase.PAUSED, Phase.RESTING)
        lagging = self.phase(now_s, urgent) is Phase.LAGGING
        wait = self.bucket.wait(now_s, urgent)
        return disturbed, lagging, wait, self.health.failures, self.health.latency_s or 0.0

    def row(self, now_s: float) -> Row:
        health = self.health
        took = None if health.latency_s is None else round(health.latency_s * 1000)
        return Row(self.rpc.host, self.phase(now_s, urgent=False), health.block, health.lag, took, health.last_error)

    def why_not(self, now_s: float) -> str:
        """Why it does not count, by its host and in words."""
        lag = self.health.lag
        if lag is not None and self.phase(now_s, urgent=True) is Phase.LAGGING:
            return f"{self.rpc.host}: {abs(lag)} blocks {'behind' if lag > 0 else 'ahead of'} the others"
        _, _, words = self.health.last_error.partition(": ")
        return f"{self.rpc.host}: {words or self.health.last_error or 'has not answered yet'}"
