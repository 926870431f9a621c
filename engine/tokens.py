"""Which tokens the settings enroll: those written out, then those of the CSV file."""

import structlog

from engine.config import ConfigError, Desks, Token
from engine.registry import Enrolled, RegistryError, from_csv, merged
from engine.text import clean_name

log: structlog.typing.FilteringBoundLogger = structlog.get_logger()


def enrolled_tokens(desks: Desks) -> tuple[Enrolled, ...]:
    """What the configuration says of a token goes before the file. Raises ConfigError for a file that is wrong."""
    written = tuple(_enrolled(token) for token in desks.tokens)
    if desks.csv is None:
        return written
    try:
        listed = from_csv(desks.csv)
    except RegistryError as error:
        raise ConfigError(f"desks.csv: {error}") from error
    tokens, notes = merged(("config", written), (str(desks.csv), listed))
    for note in notes:
        log.warning("registry", note=note)
    return tokens


def _enrolled(token: Token) -> Enrolled:
    is_long = None if not token.side else token.side == "long"
    address, name = token.address.lower(), clean_name(token.name)
    return Enrolled(
        address, name, clean_name(token.underlying) if token.underlying else "", is_long, token.leverage or None
    )
