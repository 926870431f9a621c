"""Where keys and orders may be sent, and which keys a header can carry."""

import ipaddress
import re
from typing import TYPE_CHECKING

from pydantic import SecretStr

if TYPE_CHECKING:
    import httpx


def checked_key(key: SecretStr | None, whose: str) -> SecretStr | None:
    """`key`, if a header can carry it. Raises `ValueError`, which does not repeat it, otherwise.

    A stray newline would make the HTTP library put the whole header into its error text.
    """
    if key is not None and not re.fullmatch(r"[!-~]+", key.get_secret_value()):
        raise ValueError(f"the {whose} key is empty or holds a space, a line break or a non-ASCII character")
    return key


def checked_url(text: str, whose: str) -> "httpx.URL":
    """`text` as a URL that is safe to send a key or an order to. Raises `ValueError` otherwise."""
    import httpx  # a screen that only looks has no use for it, and it takes longer to load than all the rest of this

    try:
        url = httpx.URL(text)
        url.host.encode("idna")  # what the resolver will do, and raise from the middle of a connection
    except (httpx.InvalidURL, UnicodeError):
        raise ValueError(f"the {whose} URL is not a URL") from None
    if url.scheme not in ("http", "https") or not url.host:
        raise ValueError(f"the {whose} URL must start with https:// and name a host")
    if url.port is not None and not 0 < url.port < 65_536:
        raise ValueError(f"the {whose} URL names a port that does not exist")
    if url.userinfo or url.query or url.fragment:
        raise ValueError(f"the {whose} URL must not carry a user, a query or a fragment: keys do not belong there")
    if url.scheme == "http" and not is_loopback(url.host):
        raise ValueError(f"the {whose} URL must be https: what is sent would cross the network in the clear")
    return url


def is_loopback(host: str) -> bool:
    """Whether `host` is this machine."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
