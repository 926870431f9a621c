"""The key Venice is called with: given, or issued to a wallet that signs for it. It lives in memory only."""

import asyncio
from contextlib import suppress
from http import HTTPStatus
from typing import Annotated, Final, Literal, TypeVar

import structlog
from pydantic import BaseModel, ConfigDict, JsonValue, SecretStr, StringConstraints, ValidationError

from engine.agent.plan import NoPlan, NoPlanCode
from engine.agent.venice_link import Link, Secrets, error_text
from engine.agent.venice_state import VeniceOptions, VenicePhase, clock_time
from engine.clock import Clock
from venue.net.client import Reply
from venue.net.shared import Closed, Shared
from venue.net.strict import NotStrict, parse

PATH: Final = "api_keys/generate_web3_key"
AGAIN_S: Final = 300.0
"""After an attempt that failed."""
MINT_EVERY_S: Final = 3600.0
"""A key that was issued and then refused is not replaced more often than this."""

log: structlog.typing.FilteringBoundLogger = structlog.get_logger()


class _Wire(BaseModel):
    model_config = ConfigDict(strict=True, frozen=True, extra="ignore", hide_input_in_errors=True)


class _Token(_Wire):
    # Only a JWT is signed: the wallet must not put its name to whatever text a server may send.
    token: Annotated[
        str, StringConstraints(max_length=16_384, pattern=r"^eyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$")
    ]


class _TokenReply(_Wire):
    data: _Token


class _Key(_Wire):
    apiKey: Annotated[str, StringConstraints(min_length=8, max_length=512, pattern=r"^[!-~]+$")]  # noqa: N815 - the server's name


class _KeyReply(_Wire):
    data: _Key


_Model = TypeVar("_Model", bound=_Wire)


class Keys:
    """Gives the key, has one issued when there is none, and remembers when it was refused."""

    def __init__(self, options: VeniceOptions, link: Link, secrets: Secrets, clock: Clock) -> None:
        self._options = options
        self._link = link
        self._secrets = secrets
        self._clock = clock
        self._key = options.api_key
        self._source = "environment" if options.api_key else "none"
        self._mint_key = None if options.api_key else options.mint_key
        self._why = NoPlan(NoPlanCode.NO_KEY, "no Venice key is set")
        self._again_at = 0.0
        self._minted_at = 0.0
        mint_key = self._mint_key
        self._minting = Shared(lambda: self._mint(mint_key)) if mint_key is not None else None
        for secret in (options.api_key, options.mint_key):
            if secret is not None:
                secrets.add(secret.get_secret_value().removeprefix("0x"))

    @property
    def source(self) -> str:
        """Where the present key comes from: `environment`, `minted` or `none`."""
        return self._source

    def phase(self) -> tuple[VenicePhase, int | None] | None:
        """What is wrong with the key and until when (unix ms; None is for good); None when there is one, or may be."""
        if self._key is not None:
            return None
        phase = VenicePhase.KEY_REFUSED if self._why.code is NoPlanCode.KEY_REFUSED else VenicePhase.NO_KEY
        if self._mint_key is None:
            return phase, None
        return (phase, self._again_ms()) if self._clock.monotonic() < self._again_at else None

    async def current(self) -> SecretStr:
        """The key. Raises NoPlan (NO_KEY, KEY_REFUSED) when there is none.

        However many ask, and whoever of them gives up, one key is issued.
        """
        due = self._key is None and self._clock.monotonic() >= self._again_at
        if self._minting is not None and (due or self._minting.asking):
            with suppress(Closed):
                await self._minting.answer()
        if self._key is None:
            until = "" if self._mint_key is None else f"; the next attempt is at {clock_time(self._again_ms())}"
            raise NoPlan(self._why.code, self._why.detail + until)
        return self._key

    def refuse(self, key: SecretStr) -> None:
        """The server does not take this key: a given one is never tried again, an issued one is replaced in time."""
        if key is not self._key:
            return  # another request found out first
        self._key = None
        if self._mint_key is None:
            self._why = NoPlan(NoPlanCode.KEY_REFUSED, "Venice refused the key; set another one and start again")
        else:
            self._why = NoPlan(NoPlanCode.KEY_REFUSED, "Venice refused the key that it had issued")
            self._again_at = self._minted_at + MINT_EVERY_S
        log.warning("venice key refused", source=self._source)
        self._source = "none"

    async def aclose(self) -> None:
        """Gives up a key that is being issued."""
        if self._minting is not None:
            await self._minting.aclose()

    def _again_ms(self) -> int:
        return self._clock.now_ms() + round(max(0.0, self._again_at - self._clock.monotonic()) * 1000)

    async def _mint(self, mint_key: SecretStr) -> None:
        """Never raises, so that nobody has to wait for its outcome."""
        try:
            async with asyncio.timeout(self._options.timeout_s):
                key = await self._issued(mint_key)
        except NoPlan as failure:
            self._why = failure
        except TimeoutError:
            self._why = NoPlan(NoPlanCode.NO_KEY, f"no key was issued in {self._options.timeout_s:g} s")
        except Exception as error:  # whatever a library does with a secret in hand, its words are not repeated
            self._why = NoPlan(NoPlanCode.NO_KEY, f"no key was issued: {type(error).__name__}")
        else:
            self._key, self._source, self._minted_at = key, "minted", self._clock.monotonic()
        if self._key is None:
            self._again_at = self._clock.monotonic() + AGAIN_S
            log.warning("venice key not issued", code=self._why.code.value, why=self._why.detail)
        else:
            log.info("venice key issued")

    async def _issued(self, mint_key: SecretStr) -> SecretStr:
        token = _read(_TokenReply, await self._asked("GET", None)).data.token
        self._secrets.add(token)
        address, signature = await asyncio.to_thread(_sign, mint_key, token)
        self._secrets.add(signature)
        limits = self._options.consumption()
        body: dict[str, JsonValue] = {
            "address": address,
            "signature": signature,
            "token": token,
            "apiKeyType": "INFERENCE",
            "description": "perpdesk desk agent",
            "consumptionLimit": {"usd": limits["usd"], "diem": limits["diem"]},
            "limitPeriod": "EPOCH",
        }
        key = _read(_KeyReply, await self._asked("POST", body)).data.apiKey
        self._secrets.add(key)
        return SecretStr(key)

    async def _asked(self, method: Literal["GET", "POST"], body: dict[str, JsonValue] | None) -> Reply:
        try:
            reply = await self._link.send(method, PATH, body=body)
        except NoPlan as failure:
            raise NoPlan(NoPlanCode.NO_KEY, f"no key was issued: {failure.detail}") from None
        if reply.status == HTTPStatus.OK:
            return reply
        fault = self._link.fault(reply)
        refused = fault.code in (NoPlanCode.REFUSED, NoPlanCode.KEY_REFUSED)
        said = self._secrets.line(error_text(reply))
        code = NoPlanCode.KEY_REFUSED if refused else NoPlanCode.NO_KEY
        raise NoPlan(code, f"no key was issued ({reply.status}): {said}")


def _read(model: type[_Model], reply: Reply) -> _Model:
    try:
        return model.model_validate(parse(reply.body))
    except (NotStrict, ValidationError):
        raise NoPlan(NoPlanCode.NO_KEY, "no key was issued: the answer is malformed") from None


def _sign(mint_key: SecretStr, token: str) -> tuple[str, str]:
    """The wallet's address and its EIP-191 signature of the token as text. Runs in a thread.

    The library is imported only here: it takes half a second, and most desks never mint.
    """
    from eth_account import Account
    from eth_account.messages import encode_defunct

    account = Account.from_key(mint_key.get_secret_value())
    signed = account.sign_message(encode_defunct(text=token))
    return str(account.address), "0x" + bytes(signed.signature).hex()
