"""`perpdesk signals` as a user runs it."""

import json
import subprocess
from pathlib import Path
from typing import Any

import ptyprocess
import pytest

from tests.cli.perpdesk import COMMAND, environment, perpdesk

FIXTURE = Path(__file__).parent.parent / "fixtures" / "simulated-3h.csv"
T0 = 1_785_542_400_000
HEADER = b"time,market,price\n"
ETH = "ff61491a931112ddf1bd8147cd1b641375f79f5825126d665480874634fd0ace"


def replayed(tmp_path: Path, *arguments: str, **env: str) -> str:
    run = perpdesk(tmp_path, "signals", "replay", *arguments, **env)
    assert run.returncode == 0, run.stderr
    assert all(line.startswith("perpdesk: ") for line in run.stderr.splitlines())
    return run.stdout


def document(tmp_path: Path, *arguments: str, **env: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(replayed(tmp_path, "--json", *arguments, **env))
    return found


def test_tables_for_a_person(tmp_path: Path) -> None:
    run = perpdesk(tmp_path, "signals", "replay", str(FIXTURE))
    assert run.returncode == 0
    assert run.stderr.splitlines() == [
        "perpdesk: 2026-01-05T08:00:00Z to 2026-01-05T11:00:00Z: 2,162 prices accepted, 0 refused",
        "perpdesk: a CSV file has no confidence: every price was taken for exact, so none is refused as too wide",
    ]
    decisions, parameters = (block.splitlines() for block in run.stdout.split("\n\n"))
    assert decisions[0] == "Decisions"
    assert decisions[1].split() == [
        "time",
        "market",
        "answer",
        "momentum",
        "volatility",
        "after",
        "best",
        "worst",
        "reason",
    ]
    assert decisions[2].startswith("2026-01-05T08:06:30Z  ETH     wait ")
    assert len(decisions) == 2 + 27
    assert parameters[0] == "Parameters"
    assert len(parameters) == 2 + 24
    (configured,) = (line.split() for line in parameters[2:] if line.startswith("yes"))
    assert configured[1:4] == ["900", "0.150%", "3.000%"]


def test_json_agrees_with_itself(tmp_path: Path) -> None:
    found = document(tmp_path, str(FIXTURE))
    assert found == document(tmp_path, str(FIXTURE))
    entries = [each for each in found["decisions"] if each["allow"]]
    judged = [each["outcome"]["after"] for each in entries if each["outcome"]]
    (row,) = (row for row in found["parameters"] if row["configured"])
    assert (row["entries"], row["judged"]) == (len(entries), len(judged))
    assert row["mean"] == pytest.approx(sum(judged) / len(judged))
    assert row["longs"] == sum(each["side"] == "long" for each in entries)
    assert row["momentumLookbackMs"] == 900_000
    assert found["prices"] == {"accepted": 2162, "refused": {}}
    assert found["terms"] == {"sampleMs": 55000, "everyMs": 390000, "horizonMs": 3600000, "maxAgeS": 10, "cost": 0.0011}


def test_every_option_is_obeyed(tmp_path: Path) -> None:
    options = "--market BTC --sample-s 30 --every 600 --horizon 900 --max-age 20 --cost 0.5 --lookback 300"
    compared = "--momentum 0.001 --momentum 0.002 --volatility 0.5"
    found = document(tmp_path, str(FIXTURE), *options.split(), *compared.split())
    assert found["markets"] == ["BTC"]
    assert found["terms"] == {"sampleMs": 30000, "everyMs": 600000, "horizonMs": 900000, "maxAgeS": 20, "cost": 0.5}
    assert {each["market"] for each in found["decisions"]} == {"BTC"}
    assert len(found["decisions"]) == 18
    known = [row for row in found["parameters"] if row["worst"] is not None]
    assert known
    assert all(row["worst"] < -0.4 for row in known)
    rows = [(row["momentumLookbackMs"], row["entryMomentumPct"], row["configured"]) for row in found["parameters"]]
    assert rows == [(300_000, 0.001, False), (300_000, 0.002, False), (900_000, 0.0015, True)]


def test_the_configuration_is_the_marked_row(tmp_path: Path) -> None:
    (tmp_path / "c.toml").write_text("[signal]\nentryMomentumPct = 0.5\nmomentumLookbackMs = 600000\nenabled = false\n")
    run = perpdesk(tmp_path, "signals", "replay", "--json", "--config", str(tmp_path / "c.toml"), str(FIXTURE))
    found = json.loads(run.stdout)
    (row,) = (row for row in found["parameters"] if row["configured"])
    assert (row["entryMomentumPct"], row["momentumLookbackMs"], row["entries"]) == (0.5, 600_000, 0)
    assert "signal.enabled is false" in run.stderr


def test_what_is_simulated_can_be_replayed_from_stdin(tmp_path: Path) -> None:
    made = perpdesk(tmp_path, "signals", "simulate", "--seed", "7", "--hours", "3", "--step", "10")
    assert (made.returncode, made.stdout) == (0, FIXTURE.read_text())
    assert made.stderr == "perpdesk: simulated prices from seed 7: nobody ever traded at them\n"
    piped = subprocess.run(
        [*COMMAND, "signals", "replay", "--json", "-"],
        env=environment(tmp_path),
        input=made.stdout,
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(piped.stdout) == document(tmp_path, str(FIXTURE))


def test_a_plot_in_ascii(tmp_path: Path) -> None:
    text = replayed(tmp_path, "--plot", str(FIXTURE), COLUMNS="70")
    drawing = text[: text.index("Decisions\n")]
    assert text.isascii()
    assert "\x1b" not in text
    assert all(name in drawing for name in ("ETH index", "BTC index", "L", "S", "08:00"))
    assert max(map(len, drawing.splitlines())) == 70


@pytest.mark.parametrize(
    ("arguments", "env", "coloured", "drawn"),
    [
        ((), {}, True, True),
        (("--no-color",), {}, False, True),
        ((), {"NO_COLOR": "1"}, False, True),
        ((), {"TERM": "dumb"}, False, True),
        (("--no-plot",), {}, False, False),
    ],
)
def test_a_plot_on_a_terminal(
    tmp_path: Path, arguments: tuple[str, ...], env: dict[str, str], coloured: bool, drawn: bool
) -> None:
    terminal = ptyprocess.PtyProcess.spawn(
        [*COMMAND, "signals", "replay", *arguments, str(FIXTURE)],
        env=environment(tmp_path, **{"TERM": "xterm-256color", "PYTHONUTF8": "1"} | env),
        dimensions=(40, 90),
    )
    seen = b""
    try:
        while True:
            seen += terminal.read(65536)
    except EOFError:
        terminal.wait()
    text = seen.decode()
    assert terminal.exitstatus == 0
    assert ("ETH index" in text, "\x1b[" in text, text.isascii()) == (drawn, coloured, not coloured)


def hermes(**changes: object) -> bytes:
    price = {"price": "195650000000", "conf": "90000000", "expo": -8, "publish_time": T0 // 1000} | changes
    return json.dumps({"binary": {}, "parsed": [{"id": ETH, "price": price}]}).encode()


BAD = [
    (b"", "line 1: header: '': expected time,market,price"),
    (b"\n\n", "line 1: header: ''"),
    (b"time;market;price\n", "line 1: header: 'time;market;price': expected time,market,price"),
    (b"market,time,price\n", "line 1: header"),
    (b"\xff\xfet\x00i\x00", "line 1: line: '\\xff\\xfet"),
    (b"\x1f\x8b\x08\x00", "line 1: line: '\\x1f\\x8b"),
    (HEADER + b"%d,ETH\n" % T0, "line 2: line: '1785542400000,ETH': expected 3 fields"),
    (HEADER + b"%d,ETH,1,2\n" % T0, "line 2: line"),
    (HEADER + b"1785542400,ETH,1\n", "line 2: time: '1785542400': expected unix milliseconds"),
    (
        HEADER + b"2026-08-01T00:00:00,ETH,1\n",
        "line 2: time: '2026-08-01T00:00:00': expected unix milliseconds, or UTC",
    ),
    (HEADER + b"2026-08-01T00:00:00+02:00,ETH,1\n", "line 2: time"),
    (HEADER + b"yesterday,ETH,1\n", "line 2: time: 'yesterday'"),
    (HEADER + b"-1,ETH,1\n", "line 2: time: '-1'"),
    (HEADER + b"%d,ETH,1\n\n%d,XYZ,1\n" % (T0, T0), "line 4: market: 'XYZ': expected any of ETH, BTC"),
    (HEADER + b"%d,eth,1\n" % T0, "line 2: market: 'eth'"),
    (HEADER + b"%d,ETH,0\n" % T0, "line 2: price: '0': expected a plain decimal above 0"),
    (HEADER + b"%d,ETH,-5\n" % T0, "line 2: price: '-5'"),
    (HEADER + b"%d,ETH,nan\n" % T0, "line 2: price: 'nan'"),
    (HEADER + b"%d,ETH,1e3\n" % T0, "line 2: price: '1e3'"),
    (HEADER + b"%d,ETH,\n" % T0, "line 2: price: ''"),
    (HEADER + b"%d,ETH,%s\n" % (T0, b"9" * 5000), "line 2: price: '9999999999999999999999999999999999999999...'"),
    (HEADER + b"%d,ETH,\x1b[31m1\n" % T0, "line 2: price: '\\x1b[31m1'"),
    (HEADER + "%d,ETH,١\n".encode() % T0, "line 2: price: '\\u0661'"),
    (HEADER + b"%d,ETH,1\x00\n" % T0, "line 2: price: '1\\x00'"),
    (HEADER + b"%d,ETH,\xff\n" % T0, "expected UTF-8"),
    (HEADER + hermes(), "line 2: line"),
    (b"{", "line 1: line: '{': expected an update of Hermes: invalid JSON"),
    (b'{"parsed": null}', "line 1: parsed: 'None': expected an update of Hermes: input should be a valid"),
    (b"data: {}\n", "line 1: id: '': expected an update of Hermes: field required"),
    (hermes() + b"\n" + hermes(price="1e5"), "line 2: parsed.0.price.price: '1e5': expected an update of Hermes"),
    (hermes(price=5), "line 1: parsed.0.price.price: '5'"),
    (hermes(expo=99), "line 1: parsed.0.price.expo: '99'"),
    (hermes(publish_time=-1), "line 1: parsed.0.price.publish_time: '-1'"),
    (hermes(publish_time=T0), "line 1: publish_time: '1785542400000': expected unix seconds before 2100"),
    (
        hermes() + b"\nnonsense\n",
        "line 2: line: 'nonsense': expected an update of Hermes: invalid JSON: expected ident at column 2",
    ),
    (b"[" * 100_000, "line 1: header: '["),
    (b'{"parsed":' * 50_000, "line 1: line: "),
    (HEADER, "no price of ETH, BTC that passes the checks; 0 prices accepted, 0 refused"),
    (HEADER + b"%d,SOL,80\n" % T0, "no price of ETH, BTC that passes the checks; 1 prices accepted"),
    (hermes(expo=-5), "0 prices accepted, 1 refused (exponent_changed 1)"),
]


@pytest.mark.parametrize(("content", "said"), BAD)
def test_what_cannot_be_read_is_one_line_and_65(tmp_path: Path, content: bytes, said: str) -> None:
    file = tmp_path / "prices"
    file.write_bytes(content)
    run = perpdesk(tmp_path, "signals", "replay", "--plot", str(file))
    assert (run.returncode, run.stdout, len(run.stderr.splitlines())) == (65, "", 1), run.stderr
    assert run.stderr.startswith(f"perpdesk: {file}: ")
    assert said in run.stderr
    assert run.stderr.strip().isprintable()
    assert len(run.stderr) < len(str(file)) + 500


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (("none.csv",), 65, "none.csv: No such file or directory"),
        (("/",), 65, "/: Is a directory"),
        ((), 64, "Missing argument 'FILE'"),
        (("--market", "XYZ", "x"), 64, "'XYZ' is not one of 'ETH'"),
        (("--every", "0", "x"), 64, "--every"),
        (("--horizon", "86401", "x"), 64, "--horizon"),
        (("--cost", "-1", "x"), 64, "'-1' is not an amount"),
        (("--cost", "1", "x"), 64, "--cost: 1 is not a fraction"),
        (("--momentum", "2", "x"), 64, "entry"),
        (("--lookback", "1.5", "x"), 64, "--lookback"),
        (("--json", "--plot", "x"), 64, "exclude each other"),
        (("--config", "none.toml", "x"), 78, "none.toml: No such file"),
    ],
)
def test_wrong_usage(tmp_path: Path, arguments: tuple[str, ...], status: int, said: str) -> None:
    run = perpdesk(tmp_path, "signals", "replay", *arguments)
    assert (run.returncode, run.stdout, len(run.stderr.splitlines())) == (status, "", 1), run.stderr
    assert said in run.stderr


def test_too_many_combinations(tmp_path: Path) -> None:
    many = [word for number in range(1, 25) for word in ("--momentum", f"0.{number:04}", "--lookback", str(number))]
    run = perpdesk(tmp_path, "signals", "replay", *many, str(FIXTURE))
    assert (run.returncode, run.stdout) == (64, "")
    assert "1152 combinations of parameters; expected at most 400" in run.stderr
