"""Which tokens the settings enroll: those written out, then those of the CSV file."""

import structlog

from engine.config import ConfigError
from engine.registry import Enrolled, RegistryError, RegistryReader, from_csv, merged
from engine.sections import Desks, Token
from engine.text import clean_name

log: structlog.typing.FilteringBoundLogger = structlog.get_logger()


async def enrolled_tokens(desks: Desks, contract: RegistryReader | None = None) -> tuple[Enrolled, ...]:
    """The configuration goes before the file, and the file before the contract. Raises ConfigError."""
    try:
        listed = from_csv(desks.csv) if desks.csv else ()
        on_chain = await contract.enrolled() if contract else ()
    except RegistryError as error:
        raise ConfigError(f"desks: {error}") from error
    written = tuple(_enrolled(token) for token in desks.tokens)
    tokens, notes = merged(("config", written), (str(desks.csv), listed), ("ProtocolRegistry", on_chain))
    for note in notes:
        log.warning("registry", note=note)
    return tokens


def _enrolled(token: Token) -> Enrolled:
    is_long = None if not token.side else token.side == "long"
    address, name = token.address.lower(), clean_name(token.name)
    return Enrolled(
        address, name, clean_name(token.underlying) if token.underlying else "", is_long, token.leverage or None
    )
