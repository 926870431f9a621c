"""How the agent is doing, in a few words: who is asked first, whether it answers, and what it may still spend."""

from engine.desk_rows import AgentRow
from tui import format as fmt
from tui.bar import Piece, shorten
from tui.tones import Line, Span, Tone

DEGEN = " DEGEN "
_READY = "ready"
_GAP = "  "


def _phase(agent: AgentRow) -> Span:
    return fmt.clean(agent.phase), Tone.TEXT if agent.phase == _READY else Tone.WARN


def _balance(agent: AgentRow) -> str:
    """Both purses, `?` where a balance is not known."""
    diem, usd = (fmt.clean(text) or fmt.UNKNOWN for text in (agent.balance_diem, agent.balance_usd))
    return f"{diem} DIEM {usd} USD"


def _asks(agent: AgentRow) -> bool:
    """Whether a model is asked at all."""
    return bool(agent.model or agent.asked or agent.phase)


def _badge(agent: AgentRow) -> Line:
    return ((DEGEN, Tone.ALARM),) if agent.degen else ()


def agent_heading(agent: AgentRow, room: int = 46) -> Line:
    """Name, tier, phase and purse, as far as there is room in the title of a pane."""
    pieces = [
        Piece(9, (("Agent ", Tone.STRONG), (fmt.clean(agent.tier), Tone.TEXT))),
        Piece(8, _badge(agent)),
        Piece(7, (_phase(agent),) if agent.phase else ()),
        Piece(5, ((_balance(agent), Tone.DIM),) if _asks(agent) and agent.tier != fmt.UNKNOWN else ()),
    ]
    return shorten([piece for piece in pieces if piece.spans], room, _GAP)


def agent_lines(agent: AgentRow, width: int) -> list[Line]:
    """Two lines: who decides, and how the asking goes."""
    model = f"{fmt.clean(agent.model)}, key from {fmt.clean(agent.key_source) or fmt.UNKNOWN}" if agent.model else ""
    who = [
        Piece(9, ((" Agent ", Tone.STRONG), (fmt.clean(agent.tier), Tone.TEXT))),
        Piece(8, _badge(agent)),
        Piece(7, (("the operator switched the filter off", Tone.WARN),) if agent.degen else ()),
        Piece(6, (_phase(agent),) if agent.phase else ()),
        Piece(5, ((model, Tone.DIM),) if model else ()),
    ]
    first = shorten([piece for piece in who if piece.spans], width - 1)
    if agent.tier == fmt.UNKNOWN:
        return [first, ((" what it was asked and answered is with each decision", Tone.DIM),)]
    if not _asks(agent):
        return [first, ((" no model is asked: the signal decides", Tone.DIM),)]
    return [first, shorten(_counters(agent), width - 1)]


def _counters(agent: AgentRow) -> list[Piece]:
    """Right-aligned, so that nothing moves while they count."""
    left = fmt.UNKNOWN if agent.requests_left is None else fmt.count(agent.requests_left)
    failed = Tone.WARN if agent.failed else Tone.DIM
    return [
        Piece(9, ((f" {_balance(agent)}", Tone.TEXT),)),
        Piece(8, ((f"{left:>5}", Tone.TEXT), (" requests left", Tone.DIM))),
        Piece(7, ((f"{fmt.age(agent.latency_ms):>4}", Tone.TEXT), (" latency", Tone.DIM))),
        Piece(5, ((f"{fmt.count(agent.answered):>5}", Tone.TEXT), (" answered", Tone.DIM))),
        Piece(6, ((f"{fmt.count(agent.failed):>5}", failed), (" failed", failed))),
    ]
