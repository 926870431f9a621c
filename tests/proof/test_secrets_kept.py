"""What is secret stays so where it is written and read: settings that are wrong, wallets, files that others reach."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

from tests.cli.forge import forged
from tests.cli.live import locked, private
from tests.cli.perpdesk import perpdesk
from tests.patient import until
from tests.proof import canaries
from tests.proof.canaries import Search
from tests.proof.echo import Echo
from tests.proof.secrets_house import SOUND, faulty
from tests.scale import scaled

Tried = Callable[[int], None]
NOBODY: Final = "http://127.0.0.1:1/"
NOWHERE: Final = {"PERPDESK_AVANTIS__HOSTS": f'["{NOBODY}"]', "PERPDESK_PYTH__URL": NOBODY}
WRONG: Final = (
    {"PERPDESK_PYTH__KEY": f"{canaries.PYTH_KEY} x"},
    {"PERPDESK_PYTH__KEY": f"{canaries.PYTH_KEY}é"},
    {"PERPDESK_PYTH": f'{{"key": ["{canaries.PYTH_KEY}"]}}'},
    {"PERPDESK_PYTH": f'{{"key": {canaries.PYTH_KEY}}}'},
    {"PERPDESK_PYTH": canaries.PYTH_KEY},
    {"PERPDESK_ALERTS": f'"{canaries.BOT}"'},
    {"PERPDESK_ALERTS": f'{{"telegramToken": ["{canaries.BOT}"]}}'},
    {"PERPDESK_ALERTS": f'{{"telegram_tokens": "{canaries.BOT}"}}'},
    {"PERPDESK_PYTH__URL": f"https://user:{canaries.PYTH_KEY}@example.org"},
    {"PERPDESK_VENICE__URL": f"https://example.org/?key={canaries.VENICE_KEY}"},
    {"VENICE_API_KEY": f"{canaries.VENICE_KEY}\n"},
    {"VENICE_API_KEYS": canaries.VENICE_KEY},
    {"VENICE_AUTO_MINT_KEY": canaries.MINT_KEY[:-1]},
    {"VENICE_AUTO_MINT_KEY": f"{canaries.MINT_KEY}0"},
    {"VENICE_AUTO_MINT_KEY": f"{canaries.MINT_KEY[:-1]}g"},
    {"PERPDESK_ALERTS__WEBHOOK": f"http://example.org/{canaries.HOOK}"},
    {"PERPDESK_ALERTS__WEBHOOK": canaries.HOOK},
    {"PERPDESK_ALERTS__WEBHOOKS": canaries.HOOK},
)
WRONG_LIVE: Final = (
    {"BASE_RPC_URL": f"http://example.org/{canaries.RPC_KEY}"},
    {"BASE_RPC_URL": f"https://user:{canaries.RPC_KEY}@example.org/"},
    {"BASE_RPC_URL": canaries.RPC_KEY},
    {"BASE_RPC_URL": f"https://exa mple.org/{canaries.RPC_KEY}"},
    {"BASE_RPC_URL": f"http://127.0.0.1:1/{canaries.RPC_KEY}"},
    {"BASE_RPC_URL": f"http://127.0.0.1:1/x,https://\ud7ff/{canaries.RPC_KEY}"},
    {"BASE_WS_URL": f"https://example.org/{canaries.WS_KEY}"},
    {"BASE_WS_URL": f"ws://example.org/{canaries.WS_KEY}"},
    {"BASE_WS_URL": canaries.WS_KEY},
)
FILES: Final = (
    f'venice_api_key = "{canaries.VENICE_KEY}"\n',
    f'[pyth]\nkey = ["{canaries.PYTH_KEY}"]\n',
    f"[pyth]\nkey = {canaries.PYTH_KEY}\n",
    f'[alerts]\ntelegramToken = 1\nwebhook = ["{canaries.HOOK}"]\n',
    f'alerts = "{canaries.HOOK}"\n',
    f'base_rpc_url = ["{canaries.RPC_KEY}"]\n',
    f'BASE_RPC_URL = {{ a = "{canaries.RPC_KEY}" }}\n',
    f'password = "{canaries.PASSWORD}"\n',
    f'[wallet]\npassword = "{canaries.PASSWORD}"\n',
)
EACH: Final = scaled(3, 1, 1)


def test_settings_that_are_wrong_are_told_without_what_they_hold(tmp_path: Path, search: Search, tried: Tried) -> None:
    locked_ = locked(tmp_path)
    for env in WRONG[::EACH]:
        run = forged(tmp_path, "demo", "--headless", "--for", "0.1s", **env)
        assert run.returncode in (78, 79), (env, run.stderr)
        search.text(repr(env), run.stdout + run.stderr)
    for env in WRONG_LIVE[::EACH]:
        both = {"PERPDESK_VENUE": "avantis", "BASE_RPC_URL": NOBODY, **NOWHERE, **locked_, **env}
        for verb in (("run", "--live", "--headless", "--observe", "--for", "0.1s"), ("venue", "avantis", "positions")):
            run = forged(tmp_path, *verb, "--state", str(tmp_path / "state"), **both)
            assert run.returncode in (*SOUND, 64, 74), (env, run.stdout)
            search.text(repr((verb, env)), run.stdout + run.stderr)
    for number, text in enumerate(FILES[::EACH]):
        file = private(tmp_path / f"{number}.toml", text)
        for look in (("config", "check"), ("config", "show"), ("demo", "--headless", "--for", "0.1s")):
            run = forged(tmp_path, *look, "--config", str(file))
            assert run.returncode == 78, (text, run.stderr)
            search.text(repr((look, text)), run.stdout + run.stderr)
    tried(search.looked_at)


def test_a_wallet_that_is_made_and_opened_wrongly(tmp_path: Path, search: Search, tried: Tried) -> None:
    tmp_path.chmod(0o700)
    password = private(tmp_path / "password", f"{canaries.PASSWORD}\n")
    other = private(tmp_path / "other", "another password\n")
    keys = {
        "good": canaries.WALLET_KEY,
        "short": canaries.WALLET_KEY[:-1],
        "long": canaries.WALLET_KEY + "0",
        "typo": f"{canaries.WALLET_KEY[:-1]}g",
        "twice": f"{canaries.WALLET_KEY} {canaries.WALLET_KEY}",
    }
    files = {name: private(tmp_path / name, text) for name, text in keys.items()}
    store = str(tmp_path / "wallet.json")
    quick = ("--keystore", store, "--password-file", str(password))
    for name, file in files.items():
        run = forged(tmp_path, "wallet", "import", "--key-file", str(file), *quick)
        assert run.returncode == (0 if name == "good" else 80), run.stderr
        search.text(f"wallet import {name}", run.stdout + run.stderr)
    for verb in (
        ("wallet", "import", canaries.WALLET_KEY, *quick),
        ("wallet", "import", "--key", canaries.WALLET_KEY, *quick),
        ("wallet", "import", "--key-file", str(files["good"]), *quick),
        ("wallet", "new", *quick),
        ("wallet", "show", "--keystore", store),
        ("wallet", "show", "--json", "--keystore", store),
        ("wallet", "approve", "1", "--keystore", store, "--password-file", str(other)),
        ("wallet", "approve", "1", "--keystore", store, "--password-file", str(password)),
    ):
        run = forged(tmp_path, *verb, BASE_RPC_URL=NOBODY)
        search.text(repr(verb), run.stdout + run.stderr)
    search.folder(tmp_path, keep=(password, *files.values()))
    tried(search.looked_at)


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o660, 0o606])
@pytest.mark.parametrize("which", ["wallet.json", "password"])
def test_a_key_that_others_can_read_is_refused(tmp_path: Path, which: str, mode: int) -> None:
    env = locked(tmp_path) | {"BASE_RPC_URL": NOBODY, "PERPDESK_VENUE": "avantis"}
    (tmp_path / which).chmod(mode)
    state = ("--state", str(tmp_path / "state"))
    run = forged(tmp_path, "run", "--live", "--headless", "--armed", "--for", "1s", *state, **env)
    _refused(run, 80, f"others can read {tmp_path / which}: chown it to you and chmod 600")


def test_a_password_of_a_server_that_others_can_read_is_refused(tmp_path: Path, echo: Echo) -> None:
    file = private(tmp_path / "serve.password", canaries.SERVE_PASSWORD)
    file.chmod(0o644)
    state = ("--state", str(tmp_path / "state"))
    with faulty(tmp_path, (), "demo", "--headless", *state):
        until(lambda: forged(tmp_path, "desks", *state).returncode == 0, "engine")
        run = forged(tmp_path, "serve", "--port", "0", *state, "--password-file", str(file))
    _refused(run, 80, "chmod 600")


@pytest.mark.parametrize("mode", [0o620, 0o602, 0o666, 0o664])
def test_a_configuration_that_others_can_change_is_refused(tmp_path: Path, mode: int) -> None:
    file = private(tmp_path / "config.toml", "")
    for verb in (("config", "check"), ("config", "show")):
        file.chmod(mode)
        _refused(forged(tmp_path, *verb, "--config", str(file)), 78, f"mode {mode:04o}: others can write to it")
        file.chmod(0o644)
        assert forged(tmp_path, *verb, "--config", str(file)).returncode == 0


def _refused(run: "subprocess.CompletedProcess[str]", status: int, text: str) -> None:
    assert run.returncode == status, run.stderr
    assert run.stdout == ""
    assert text in run.stderr.splitlines()[-1]
    assert "chmod 600" in run.stderr


def test_a_state_directory_is_its_owners_and_a_looser_one_is_told_of(tmp_path: Path) -> None:
    os.umask(before := os.umask(0))
    made, loose = tmp_path / "made", tmp_path / "loose"
    loose.mkdir(mode=0o755)
    for state in (made, loose):
        run = perpdesk(tmp_path, "demo", "--headless", "--for", "0.5s", "--state", str(state))
        assert run.returncode == 0, run.stderr
        assert ("others may look into" in run.stderr) == (state is loose)
        assert "chmod 700" in run.stderr or state is made
        for path in state.iterdir():
            assert path.stat().st_mode & 0o077 == 0, path
    assert made.stat().st_mode & 0o777 == 0o700
    assert before == os.umask(before)
