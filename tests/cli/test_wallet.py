"""The wallet's commands: a key goes in, and comes out nowhere."""

import asyncio
import json
import os
import pty
import subprocess
from decimal import Decimal
from pathlib import Path

from engine.codec import encode
from store.journal import Journal
from store.lease import Lease
from tests.chain.node import ADDRESSES, KEYS
from tests.chain.stage import TRADER
from tests.cli.forge import forged
from tests.cli.live import PASSWORD, LiveVenue, locked, private, stranger_code
from tests.cli.perpdesk import COMMAND, environment
from tests.cli.test_refusals import refused
from tests.cli.test_upgrade import typed
from venue.avantis.addresses import AVANTIS
from venue.chain.erc20 import ALLOWANCE
from venue.chain.facts import Fact, Result, TxReserved, TxSettled, WalletAdopted

Run = subprocess.CompletedProcess[str]


def no_secret(run: Run) -> None:
    for secret in (PASSWORD, *KEYS, *(key[2:] for key in KEYS)):
        assert secret not in run.stdout + run.stderr


def piped(tmp_path: Path, text: str, *arguments: str, **env: str) -> Run:
    """A run that reads `text`."""
    found = environment(tmp_path, **env)
    return subprocess.run(
        [*COMMAND, *arguments], env=found, input=text, capture_output=True, text=True, timeout=60, check=False
    )


def test_a_new_key_is_locked_and_never_overwritten(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    password = private(tmp_path / "password", PASSWORD)
    new = ("wallet", "new", "--keystore", str(tmp_path / "k.json"), "--password-file", str(password))
    run = forged(tmp_path, *new, "--kdf", "pbkdf2")
    assert run.returncode == 0, run.stderr
    assert (tmp_path / "k.json").stat().st_mode & 0o077 == 0
    shown = forged(tmp_path, "wallet", "show", "--keystore", str(tmp_path / "k.json"), "--json")
    assert json.loads(shown.stdout)["address"] == run.stdout.strip()
    refused(forged(tmp_path, *new), 80, "k.json exists; keys are not overwritten")
    no_secret(run)


def test_a_key_comes_through_a_pipe_or_a_descriptor(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    password = private(tmp_path / "password", PASSWORD)
    rest = ("--password-file", str(password), "--kdf", "pbkdf2")
    run = piped(tmp_path, f"{KEYS[0]}\n", "wallet", "import", "--keystore", str(tmp_path / "a.json"), *rest)
    assert (run.returncode, run.stdout.strip()) == (0, ADDRESSES[0]), run.stderr
    no_secret(run)
    reading, writing = os.pipe()
    os.write(writing, KEYS[1].encode())
    os.close(writing)
    command = [*COMMAND, "wallet", "import", "--keystore", str(tmp_path / "b.json"), "--key-fd", str(reading), *rest]
    env = environment(tmp_path)
    run = subprocess.run(command, env=env, pass_fds=(reading,), capture_output=True, text=True, timeout=60, check=False)
    os.close(reading)
    assert (run.returncode, run.stdout.strip()) == (0, ADDRESSES[1]), run.stderr


def test_a_key_in_the_arguments_is_refused_and_not_repeated(tmp_path: Path) -> None:
    run = forged(tmp_path, "wallet", "import", KEYS[0], f"--key={KEYS[0]}")
    refused(run, 64, "import takes no arguments")
    no_secret(run)


def test_what_is_no_key_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    password = private(tmp_path / "password", PASSWORD)
    into = ("wallet", "import", "--keystore", str(tmp_path / "a.json"), "--password-file", str(password))
    run = piped(tmp_path, KEYS[0][:-1], *into)
    refused(run, 80, "not a private key: 64 hex digits are expected")
    assert KEYS[0][2:-1] not in run.stderr
    run = forged(tmp_path, "wallet", "new", "--keystore", str(tmp_path / "a.json"))
    refused(run, 80, "no terminal to ask for the password at")
    assert not (tmp_path / "a.json").exists()


def test_a_keystore_that_others_can_read_is_not_used(tmp_path: Path) -> None:
    env = locked(tmp_path)
    (tmp_path / "wallet.json").chmod(0o644)
    refused(forged(tmp_path, "wallet", "show", **env), 80, "others can read")
    (tmp_path / "wallet.json").chmod(0o600)
    other = {**env, "PERPDESK_WALLET__ADDRESS": ADDRESSES[2]}
    refused(forged(tmp_path, "wallet", "show", **other), 80, f"wallet.address expects {ADDRESSES[2]}")


def test_holdings_are_shown(live: LiveVenue, tmp_path: Path) -> None:
    live.approve(0)
    run = forged(tmp_path, "wallet", "show", "--json", **live.env(**locked(tmp_path)))
    found = json.loads(run.stdout)
    held = Decimal(live.do(live.stage.balance(AVANTIS.usdc, TRADER))) / 10**6
    assert (found["address"], Decimal(found["usdc"]), found["allowance"]) == (ADDRESSES[0], held, "0")
    assert float(found["eth"]) > 9_000


def test_an_exact_approval_is_settled(live: LiveVenue, tmp_path: Path) -> None:
    env = live.env(**locked(tmp_path))
    dry = forged(tmp_path, "wallet", "approve", "123.5", "--dry-run", "--json", "--state", str(tmp_path / "s"), **env)
    told = json.loads(dry.stdout)
    assert (told["call"]["spender"].lower(), told["call"]["amount"]) == (AVANTIS.storage.lower(), "123500000")
    assert not (tmp_path / "s").exists(), "a dry run leaves nothing"
    run = forged(tmp_path, "wallet", "approve", "123.5", "--state", str(tmp_path / "s"), **env)
    assert run.returncode == 0, run.stderr
    assert run.stdout.startswith("0x")
    assert len(run.stdout.strip()) == 66
    assert "waiting for" in run.stderr
    assert live.do(live.stage.ask(AVANTIS.usdc, ALLOWANCE, ADDRESSES[0], AVANTIS.storage)) == (123_500_000,)
    no_secret(run)


def test_nothing_is_sent_beside_an_engine(live: LiveVenue, tmp_path: Path) -> None:
    env = live.env(**locked(tmp_path))
    with Lease(tmp_path / "s"):
        run = forged(tmp_path, "wallet", "approve", "1", "--state", str(tmp_path / "s"), **env)
    refused(run, 75, "is in use by perpdesk process")


def test_approvals_that_cannot_be(live: LiveVenue, tmp_path: Path) -> None:
    env = live.env(**locked(tmp_path))
    refused(forged(tmp_path, "wallet", "approve", "0.0000001", **env), 64, "more than 6 decimals")
    refused(forged(tmp_path, "wallet", "approve", "1"), 78, "BASE_RPC_URL: not set")
    private(tmp_path / "password", "wrong")
    run = forged(tmp_path, "wallet", "approve", "1", "--state", str(tmp_path / "s"), **env)
    refused(run, 80, "wrong password for")
    bad = {**env, "BASE_RPC_URL": "http://127.0.0.1:1"}
    refused(forged(tmp_path, "wallet", "show", **bad), 69, "BASE_RPC_URL: ")


def test_a_wallet_without_gas_and_a_contract_that_is_none(live: LiveVenue, tmp_path: Path) -> None:
    poor = "0x" + "11" * 32
    env = live.env(**locked(tmp_path, poor))
    run = forged(tmp_path, "wallet", "approve", "1", "--state", str(tmp_path / "s"), **env)
    refused(run, 79, "NO_GAS: ")
    before = live.do(live.node.rpc("eth_getCode", AVANTIS.usdc, "latest"))
    live.do(live.node.set_code(AVANTIS.usdc, stranger_code()))
    try:
        run = forged(tmp_path, "wallet", "approve", "1", "--state", str(tmp_path / "s"), **env)
        refused(run, 79, "WRONG_CODE: ")
    finally:
        live.do(live.node.set_code(AVANTIS.usdc, bytes.fromhex(before[2:])))


def shared(state: Path, *, still_open: bool = False) -> None:
    """A journal whose wallet sent something, and somebody else used the nonce."""
    nonces = (0, 1) if still_open else (0,)
    sent = [TxReserved(f"t{number}", TRADER, "approve", number, TRADER, "0x", 0, 1, 1) for number in nonces]

    state.mkdir()

    async def write() -> None:
        journal = await Journal.open(state)
        facts: tuple[Fact, ...] = (WalletAdopted(TRADER, 0), *sent, TxSettled("t0", Result.TAKEN, "", 0))
        await journal.append([encode(fact) for fact in facts], 1)
        await journal.close()

    asyncio.run(write())


def test_a_key_that_somebody_else_used_is_taken_on_again_by_a_person(live: LiveVenue, tmp_path: Path) -> None:
    env, state = live.env(**locked(tmp_path)), ("--state", str(tmp_path / "s"))
    live.approve(0)  # the nonces the journal does not know of
    shared(tmp_path / "s")
    approve, readopt = ("wallet", "approve", "2", *state), ("wallet", "readopt", *state)
    refused(forged(tmp_path, *approve, **env), 79, "KEY_SHARED: somebody else used nonce 0 of the wallet")
    doctor = forged(tmp_path, "doctor", "--json", *state, **env)
    (line,) = [row for row in json.loads(doctor.stdout) if row["name"] == "key"]
    assert (line["status"], "perpdesk wallet readopt" in line["remedy"]) == ("fail", True)
    refused(forged(tmp_path, *readopt, **env), 64, "stdin is not a terminal to confirm at: repeat it at one")
    run = typed(tmp_path, ["no"], *readopt, **env)
    assert (run.returncode, "was not typed" in run.stderr) == (79, True), run.stderr
    nonce = int(live.do(live.node.rpc("eth_getTransactionCount", TRADER, "latest")), 16)
    run = typed(tmp_path, [str(nonce)], *readopt, **env)
    assert run.returncode == 0, run.stderr
    assert f"Wallet {TRADER}: somebody else used nonce 0; the chain expects {nonce} next" in run.stderr
    assert forged(tmp_path, *approve, **env).returncode == 0
    again = typed(tmp_path, [], *readopt, **env)
    assert (again.returncode, "NOT_SHARED: " in again.stderr) == (79, True), again.stderr


def test_a_key_is_not_taken_on_again_while_something_is_open(live: LiveVenue, tmp_path: Path) -> None:
    env, state = live.env(**locked(tmp_path)), ("--state", str(tmp_path / "s"))
    shared(tmp_path / "s", still_open=True)
    nonce = int(live.do(live.node.rpc("eth_getTransactionCount", TRADER, "latest")), 16)
    run = typed(tmp_path, [str(nonce)], "wallet", "readopt", *state, **env)
    assert (run.returncode, "STILL_OPEN: 1 transactions are open" in run.stderr) == (79, True), run.stderr


def typing(tmp_path: Path, answers: list[str], *arguments: str) -> tuple[int, str]:
    """A run at a terminal of its own, at which somebody types; its exit status and what was on the screen."""
    env = environment(tmp_path)
    pid, terminal = pty.fork()
    if pid == 0:
        os.execve(COMMAND[0], [*COMMAND, *arguments], env)  # noqa: S606 - the program itself
    screen = ""
    try:
        while chunk := os.read(terminal, 4096):
            screen += chunk.decode()
            if answers and screen.rstrip(" ").endswith(":"):
                os.write(terminal, f"{answers.pop(0)}\n".encode())
    except OSError:  # how a terminal ends
        pass
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), screen


def test_a_password_is_typed_twice_and_not_shown(tmp_path: Path) -> None:
    new = ("wallet", "new", "--kdf", "pbkdf2", "--keystore", str(tmp_path / "k" / "w.json"))
    status, screen = typing(tmp_path, [PASSWORD, "another"], *new)
    assert (status, "the two passwords differ" in screen) == (80, True), screen
    status, screen = typing(tmp_path, [PASSWORD, PASSWORD], *new)
    assert (status, PASSWORD in screen) == (0, False), screen
    assert (tmp_path / "k" / "w.json").exists()
