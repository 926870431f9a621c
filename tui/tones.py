"""What a piece of text means, and the style a theme gives to that meaning."""

from dataclasses import replace
from enum import Enum, auto

from rich.style import Style
from textual.theme import BUILTIN_THEMES
from textual.theme import Theme as TextualTheme

from themes import Theme


class Tone(Enum):
    """The meanings a span of text can have."""

    TEXT = auto()
    DIM = auto()
    STRONG = auto()
    GAIN = auto()
    LOSS = auto()
    WARN = auto()
    ALARM = auto()
    """Loss, made loud: what needs the operator now."""
    BADGE = auto()
    LIVE = auto()


Span = tuple[str, Tone]
Line = tuple[Span, ...]


def gain_or_loss(value: float | None) -> Tone:
    """The tone of a signed figure."""
    return Tone.TEXT if not value else Tone.GAIN if value > 0 else Tone.LOSS


class Palette:
    """A theme as Rich styles; one object for every widget, so that another theme can be put on."""

    def __init__(self, theme: Theme) -> None:
        self.wear(theme)

    def wear(self, theme: Theme) -> None:
        """Becomes this theme; what is drawn from here on has its styles."""
        tones = theme.tones
        plain = Style.parse(f"{theme.tones.text} on {theme.background}")
        loss = plain + Style.parse(tones.loss)
        self.styles = {
            Tone.TEXT: plain,
            Tone.DIM: plain + Style.parse(tones.dim),
            Tone.STRONG: plain + Style(bold=True),
            Tone.GAIN: plain + Style.parse(tones.gain),
            Tone.LOSS: loss,
            Tone.WARN: plain + Style.parse(tones.warning),
            Tone.ALARM: loss + Style(bold=True, reverse=True),
            Tone.BADGE: plain + Style(bold=True, reverse=True),
            Tone.LIVE: plain + Style.parse(tones.live),
        }
        selected = Style.parse(tones.selected)
        # Reversed, a tone would colour the background of its cells, and the row would fall to pieces.
        self.chosen = {tone: (plain if selected.reverse else style) + selected for tone, style in self.styles.items()}
        """The same styles on the row of the cursor."""


def textual_theme(theme: Theme, name: str) -> TextualTheme:
    """The little Textual itself must know, under this name: the background, and whose colours they are."""
    base = BUILTIN_THEMES[f"{'ansi' if theme.ansi else 'textual'}-{'dark' if theme.dark else 'light'}"]
    text = next((word for word in theme.tones.text.split() if word != "bold"), "default")
    background = _textual_colour(theme.background)
    return replace(
        base,
        name=name,
        foreground=_textual_colour(text),
        background=background,
        surface=background,
    )


def _textual_colour(colour: str) -> str:
    return colour if colour.startswith("#") else f"ansi_{colour}"
