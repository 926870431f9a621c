"""Settings: one clear line for whatever is wrong, and the seeds' names and defaults."""

from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest

from engine.config import ConfigError, load
from venue.exchange.params import MarketParams
from venue.exchange.scenario.config import configured


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("engine.config.CONFIG_FILE", tmp_path / "none.toml")
    for name in ("AVANTIS_MAX_LEVERAGE", "PERPDESK_RISK__LEVERAGE"):
        monkeypatch.delenv(name, raising=False)


def file(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "config.toml"
    path.write_text(text)
    return path


def test_the_seeds_defaults() -> None:
    settings = load()
    assert settings.signal.entry_momentum_pct == Decimal("0.0015")
    assert settings.signal.max_volatility_pct == Decimal("0.03")
    assert settings.signal.require_active_session is False
    assert settings.signal.momentum_lookback_ms == 900_000
    assert settings.avantis_max_leverage == 75
    assert settings.risk.max_position_usdc == 500
    assert settings.exchange.markets == ("ETH", "BTC")


def test_camel_case_snake_case_and_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = file(tmp_path, "[signal]\nentryMomentumPct = 0.002\n[risk]\nmax_position_usdc = 300\nleverage = 5\n")
    monkeypatch.setenv("PERPDESK_RISK__LEVERAGE", "7")
    monkeypatch.setenv("AVANTIS_MAX_LEVERAGE", "50")
    settings = load(path)
    assert settings.signal.entry_momentum_pct == Decimal("0.002")
    assert settings.risk.max_position_usdc == 300
    assert settings.risk.leverage == 7
    assert settings.avantis_max_leverage == 50


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[signl]\n", "unknown key 'signl'; did you mean 'signal'?"),
        ("[signal]\nentryMomentum = 1\n", "unknown key 'signal.entryMomentum'; did you mean 'entry_momentum_pct'?"),
        ("[risk]\nxyz = 1\n", "unknown key 'risk.xyz'; expected one of circuit_breaker_pct"),
        ("[risk]\nleverage = 'abc'\n", "risk.leverage: 'abc'"),
        ("[risk]\nleverage = nan\n", "risk.leverage"),
        ("[risk]\nleverage = 0\n", "risk.leverage: 0"),
        ("[signal]\nmaxVolatilityPct = -0.1\n", "signal.maxVolatilityPct"),
        ("[exchange]\nmarkets = ['ETH', 'XYZ']\n", "exchange.markets: unknown market 'XYZ'; expected any of ETH, BTC"),
        ("[exchange]\nmarkets = []\n", "exchange.markets: empty"),
        ("[[desks.tokens]]\naddress = '0x12'\nname = 'x'\n", "desks.tokens.0.address: '0x12'"),
        ("[pyth]\ntransport = 'grpc'\n", "pyth.transport: 'grpc'"),
        ("not toml", "not valid TOML"),
        ("[exchange.market.ETH]\nBASE_OPEN_FE = '1'\n", "config key 'base_open_fe' is unknown"),
        ("[exchange.market.XYZ]\nMAX_LEVERAGE = '1'\n", "market xyz is unknown"),
        ("[exchange.market.ETH]\nINITIAL_BASE_RESERVE = '1'\n", "set depth_usd"),
        ("[exchange]\nprofile = 'wild'\n", "exchange.profile: 'wild'"),
    ],
)
def test_bad_input_is_one_line_that_names_it(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(file(tmp_path, text))
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_file_that_was_named_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="No such file"):
        load(tmp_path / "nowhere.toml")


def test_the_key_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PERPDESK_PYTH__KEY", "canary-key")
    settings = load()
    assert settings.pyth.key is not None
    assert "canary" not in repr(settings)


def test_markets_are_configured_one_by_one(tmp_path: Path) -> None:
    text = "[exchange.market.BTC]\nBASE_OPEN_FEE_RATE = '0.002'\n"
    buckets = "LEVERAGE_BUCKETS = [{ maxLeverage = '50', bufferRatio = '0.4' }]\n"
    settings = load(file(tmp_path, text + buckets))
    params = configured(settings.exchange.market["BTC"], MarketParams())
    assert params.open_fee == Fraction("0.002")
    assert params.buckets == ((Fraction(50), Fraction("0.4")),)
    assert params.max_open_move == Fraction(1, 30)
