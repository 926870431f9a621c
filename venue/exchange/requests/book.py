"""The store of requests: what waits, what has ended, who may execute, who was referred by whom."""

from dataclasses import dataclass, field
from hashlib import sha256

from venue.exchange.requests.request import Ended, OrderRequest, PositionName, Request
from venue.exchange.requests.work import WorkTable

ENDED_KEPT = 5_000
"""How many ended requests are remembered; the journal remembers all of them."""


@dataclass(frozen=True, slots=True)
class RequestRules:
    """What the request layer is configured with."""

    work: WorkTable = field(default_factory=WorkTable)
    expiry_ms: int = 300_000
    """A market request lives this long; its owner may cancel it from then on."""
    max_path: int = 3
    max_auto_cancel: int = 6
    treasury: str = "treasury"
    """The account that may claim protocol fees."""
    max_fee_multiple: int = 100
    """An execution fee above this many times the least one is given back at creation."""


@dataclass(frozen=True, slots=True)
class ReferralCode:
    """A code: `rebate` of the position fee is given up (1e-30), `discount` of that goes to the trader, the rest to
    its owner."""

    owner: str
    rebate: int
    discount: int


@dataclass(slots=True)
class RequestBook:
    """Everything stored about requests."""

    engine_id: str = "perpdesk"
    rules: RequestRules = field(default_factory=RequestRules)
    nonce: int = 0
    """Number of the newest key; survives with the journal, so no key is ever given out twice."""
    pending: dict[str, Request] = field(default_factory=dict)
    """By key, oldest first."""
    by_account: dict[str, dict[str, None]] = field(default_factory=dict)
    """Keys of what waits, per account, oldest first."""
    ended: dict[str, Ended] = field(default_factory=dict)
    executed: int = 0
    cancelled: int = 0
    by_client: dict[str, str] = field(default_factory=dict)
    """Key by the sender's own name for it, empty for a payment. Never forgotten: a name is good for one of them."""
    keepers: dict[str, bool] = field(default_factory=dict)
    """Who may execute; True may also execute frozen orders and limit swaps."""
    disabled: set[str] = field(default_factory=set)
    """Features switched off: `create:KIND` or `execute:KIND`, KIND being deposit, withdrawal or an order type."""
    referral_codes: dict[str, ReferralCode] = field(default_factory=dict)
    referred: dict[str, str] = field(default_factory=dict)
    """The code of each trader that has one; the first one set stays."""

    def key(self, nonce: int) -> str:
        """The key of a nonce (seed avitus, "Generate a Unique Key")."""
        return "0x" + sha256(f"{self.engine_id}:{nonce}".encode()).hexdigest()

    def store(self, request: Request) -> None:
        """Adds a new request, or replaces the one of the same key."""
        self.pending[request.key] = request
        self.by_account.setdefault(request.account, {})[request.key] = None
        if request.client_id:
            self.by_client[request.client_id] = request.key

    def end(self, ended: Ended) -> None:
        """Takes a request out of the store and remembers how it ended."""
        request = self.pending.pop(ended.request.key)
        keys = self.by_account[request.account]
        del keys[request.key]
        if not keys:
            del self.by_account[request.account]
        self.ended[request.key] = ended
        if len(self.ended) > ENDED_KEPT:
            del self.ended[next(iter(self.ended))]

    def ending_with(self, position: PositionName) -> list[OrderRequest]:
        """The waiting auto-cancel orders of a position."""
        return [each for each in self.orders_of(position.account) if each.auto_cancel and each.position == position]

    def orders_of(self, account: str) -> list[OrderRequest]:
        """The waiting orders of an account, oldest first."""
        waiting = (self.pending[key] for key in self.by_account.get(account, {}))
        return [each for each in waiting if isinstance(each, OrderRequest)]

    def code_of(self, trader: str) -> ReferralCode | None:
        """The referral code that a trader's fees are reduced by, if there is one."""
        return self.referral_codes.get(self.referred.get(trader, ""))
