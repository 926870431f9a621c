"""A configuration to begin with: complete, true, and never written over another one."""

import json
import re
import stat
import tomllib
from pathlib import Path

from engine.config import Settings
from engine.sample import sample, shown, written
from tests.cli.perpdesk import perpdesk
from tests.cli.test_refusals import refused

DISABLED = re.compile(r"^#(?=[a-z_]+ = .)", re.MULTILINE)


def enabled() -> str:
    """Every setting of the sample that has a value."""
    return DISABLED.sub("", sample())


def test_with_every_line_enabled_it_says_the_defaults() -> None:
    values = tomllib.loads(enabled())
    ui = {"theme": "night", "fps": 4, "mouse": True, "bell": True, "desktop": False, "low_bandwidth": False}
    assert values.pop("ui") == ui | {"keys": {"halt": "f5 h"}}
    assert shown(Settings(**values)) == shown(Settings())
    assert len(values) >= len(Settings.model_fields) - 6, "secrets and the terminal's own are left out"


def test_what_is_in_force_can_be_read_again_and_holds_no_secret(tmp_path: Path) -> None:
    (tmp_path / "c.toml").write_text('[risk]\nleverage = 7\n[desks]\ncsv = "tokens.csv"\n')
    env = {"PERPDESK_PYTH__KEY": "very-secret", "BASE_RPC_URL": "https://node.example/very-secret"}
    run = perpdesk(tmp_path, "config", "show", "--config", str(tmp_path / "c.toml"), **env)
    assert run.returncode == 0, run.stderr
    assert "secret" not in run.stdout + run.stderr
    found = tomllib.loads(run.stdout)
    assert (found["risk"]["leverage"], found["base_rpc_url"], found["pyth"]["key"]) == (7, "(set)", "(set)")
    assert tomllib.loads(written(Settings()))["risk"]["leverage"] == 10
    as_json = perpdesk(tmp_path, "config", "show", "--json", **env)
    assert json.loads(as_json.stdout)["pyth"]["key"] == "(set)"


def test_a_file_is_written_once_for_its_owner_only(tmp_path: Path) -> None:
    run = perpdesk(tmp_path, "init")
    path = Path(run.stdout.strip())
    assert path == tmp_path / "config" / "perpdesk" / "config.toml"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.read_text() == sample()
    path.write_text("venue = 'paper'\n")
    refused(perpdesk(tmp_path, "init"), 79, "is there already: name another FILE")
    assert path.read_text() == "venue = 'paper'\n"
    assert perpdesk(tmp_path, "init", "--stdout").stdout == sample()
    refused(perpdesk(tmp_path, "init", "/proc/nowhere/config.toml"), 79, "name another FILE")


def test_it_is_checked_as_a_run_would(tmp_path: Path) -> None:
    assert perpdesk(tmp_path, "config", "check").returncode == 0
    (tmp_path / "c.toml").write_text("[risk]\nleverag = 7\n")
    refused(perpdesk(tmp_path, "config", "check", "--config", str(tmp_path / "c.toml")), 78, "did you mean 'leverage'")
    assert "properties" in json.loads(perpdesk(tmp_path, "config", "schema").stdout)


def test_keys_that_cannot_be_obeyed_are_named(tmp_path: Path) -> None:
    (tmp_path / "c.toml").write_text('[ui.keys]\nhalt = "c"\n')
    refused(
        perpdesk(tmp_path, "config", "check", "--config", str(tmp_path / "c.toml")), 78, "c is also the key of halt"
    )
    (tmp_path / "c.toml").write_text('[ui.keys]\nstop = "c"\n')
    refused(perpdesk(tmp_path, "config", "check", "--config", str(tmp_path / "c.toml")), 78, "stop: no such action")
