"""Secrets that can be told from everything else, and the search for them wherever a run leaves something behind."""

import base64
import hashlib
import html
import os
import re
import threading
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import psutil

from tests.chain.node import KEYS

_ELEMENT: Final = re.compile(r"<[^>]*>\s*")
PIECE: Final = 12
"""Bytes: a secret is searched for in pieces of so many, so that half of one is found as well."""


def _made(name: str) -> str:
    return hashlib.sha256(f"canary {name}".encode()).hexdigest()


WALLET_KEY: Final = KEYS[0].removeprefix("0x")
PASSWORD: Final = f"pw-{_made('password')[:32]}"
SERVE_PASSWORD: Final = f"sp-{_made('serve')[:32]}"
VENICE_KEY: Final = f"vn-{_made('venice')[:32]}"
MINT_KEY: Final = _made("mint")
PYTH_KEY: Final = f"py-{_made('pyth')[:32]}"
RPC_KEY: Final = f"rp{_made('rpc')[:32]}"
WS_KEY: Final = f"ws{_made('ws')[:32]}"
HOOK: Final = f"wh{_made('hook')[:32]}"
TOPIC: Final = f"nt{_made('topic')[:32]}"
BOT: Final = f"tg{_made('bot')[:32]}"
SECRETS: Final = {
    "wallet key": WALLET_KEY,
    "keystore password": PASSWORD,
    "serve password": SERVE_PASSWORD,
    "VENICE_API_KEY": VENICE_KEY,
    "VENICE_AUTO_MINT_KEY": MINT_KEY,
    "pyth.key": PYTH_KEY,
    "BASE_RPC_URL": RPC_KEY,
    "BASE_WS_URL": WS_KEY,
    "alerts.webhook": HOOK,
    "alerts.ntfy_topic": TOPIC,
    "alerts.telegram_token": BOT,
}


def surroundings(url: str) -> dict[str, str]:
    """Every secret that the environment may hold, each for the server at `url`."""
    return {
        "VENICE_API_KEY": VENICE_KEY,
        "VENICE_AUTO_MINT_KEY": f"0x{MINT_KEY}",
        "PERPDESK_VENICE__URL": f"{url}/venice",
        "PERPDESK_PYTH__URL": f"{url}/hermes",
        "PERPDESK_PYTH__KEY": PYTH_KEY,
        "BASE_RPC_URL": f"{url}/{RPC_KEY}",
        "BASE_WS_URL": f"{url.replace('http', 'ws', 1)}/{WS_KEY}",
        "PERPDESK_ALERTS__WEBHOOK": f"{url}/{HOOK}",
        "PERPDESK_ALERTS__NTFY_URL": url,
        "PERPDESK_ALERTS__NTFY_TOPIC": TOPIC,
        "PERPDESK_ALERTS__TELEGRAM_URL": url,
        "PERPDESK_ALERTS__TELEGRAM_CHAT": "1",
        "PERPDESK_ALERTS__TELEGRAM_TOKEN": BOT,
    }


def _forms(secret: str) -> set[bytes]:
    """As it is, backwards, in hex and in base64 wherever it begins; a key in hex also as the bytes that it says."""
    raw = [secret.encode()]
    if len(secret) == 64:
        raw.append(bytes.fromhex(secret))
    forms: set[bytes] = set()
    for each in raw:
        forms |= {each, each[::-1], each.hex().encode(), each[::-1].hex().encode()}
        for shift in range(3):
            for encode in (base64.b64encode, base64.urlsafe_b64encode):
                forms.add(encode(bytes(shift) + each)[4 if shift else 0 : -4])
    return forms


def _pieces(form: bytes) -> set[bytes]:
    return {form[at : at + PIECE] for at in range(0, len(form) - PIECE + 1, PIECE)}


_PIECES: Final = {
    name: {piece for form in _forms(secret) for piece in _pieces(form)} for name, secret in SECRETS.items()
}


def leaked(content: bytes) -> set[str]:
    """Whose pieces are in there, in any case of its letters."""
    plain = content.lower()
    return {
        name for name, pieces in _PIECES.items() if any(piece in content or piece.lower() in plain for piece in pieces)
    }


def drawn(picture: str) -> str:
    """The text of a drawing: a word in two colours stands in two elements."""
    return html.unescape(_ELEMENT.sub("", picture))


@dataclass
class Search:
    """Looks at everything it is shown; `found` says what was where."""

    looked_at: int = 0
    found: list[str] = field(default_factory=list)

    def bytes(self, where: str, content: bytes) -> None:
        self.looked_at += 1
        self.found += [f"{name} in {where}" for name in sorted(leaked(content))]

    def text(self, where: str, content: str) -> None:
        self.bytes(where, content.encode("utf-8", "surrogatepass"))

    def folder(self, folder: Path, keep: Iterable[Path] = ()) -> None:
        """Every file below; those that the test itself has filled with a secret are left out, by `keep`."""
        for path in sorted(folder.rglob("*")):
            if path.is_file() and path not in keep:
                self.bytes(str(path.relative_to(folder)), path.name.encode() + b"\n" + path.read_bytes())
                if path.suffix == ".svg":
                    self.text(f"the text of {path.relative_to(folder)}", drawn(path.read_text()))


@dataclass
class Watched:
    """The arguments of a process and of all it starts, and the environment of those it starts, while it runs."""

    root: int
    seen: dict[tuple[int, float], tuple[str, Mapping[str, str]]] = field(default_factory=dict)
    _stop: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                root = psutil.Process(self.root)
                for each in (root, *root.children(recursive=True)):
                    self._note(each)
            except psutil.NoSuchProcess:
                return
            time.sleep(0.01)

    def _note(self, process: psutil.Process) -> None:
        try:
            with process.oneshot():
                key, line = (process.pid, process.create_time()), "\0".join(process.cmdline())
                # A child has its parent's memory until it has become another program.
                environ = process.environ() if process.pid != self.root and line != self._line_of_root() else {}
                if line:  # some kernels keep that of an undumped process to themselves as well
                    self.seen[key] = (line, environ)
        except psutil.Error:
            pass

    def _line_of_root(self) -> str:
        return next((line for (pid, _), (line, _) in self.seen.items() if pid == self.root), "")

    def search(self, search: Search) -> None:
        for (pid, _), (line, environ) in self.seen.items():
            search.text(f"arguments of {pid}: {line!r}"[:200], line)
            search.text(f"environment of {pid}: {line!r}"[:200], "\n".join(f"{k}={v}" for k, v in environ.items()))


def as_root() -> bool:
    """Nobody else may look into a process that keeps its memory to itself."""
    return os.geteuid() == 0
