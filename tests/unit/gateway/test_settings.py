"""Settings as an administrator mistypes them: each is named in words, and no value is shown."""

from pathlib import Path

import pytest

from desk_core.kit.i18n import translate
from gateway.environment import BadSettings, load_settings, unknown_variables
from gateway.settings import HomeUnusable

BAD = {
    "WORK__BURST_SECONDS": ("soon", "a number is expected"),
    "WORK__CONCURRENCY": ("0", "1 or more is expected"),
    "HTTP__PORT": ("99999", "65535 or less is expected"),
    "HTTP__PRT": ("8080", "there is no such setting; did you mean PRIYOM_HTTP__PORT?"),
    "HTTP__WHATEVER_THIS_IS": ("1", "there is no such setting"),
    "HTTP__PUBLIC_URL": ("desk.example.org", "an address is expected that begins with http:// or https://"),
    "SMTP__TRUSTED_PEERS": ("*", "addresses or networks are expected, as in 10.0.0.5, 192.168.0.0/16"),
    "HTTP__TRUSTED_PROXIES": ("10.0.0.5, proxy", "addresses or networks are expected, as in 10.0.0.5, 192.168.0.0/16"),
    "DATABASE__URL": (
        "mysql://me:hidden@host/desk",
        "sqlite+aiosqlite:///path or postgresql+asyncpg://user:password@host/name is expected",
    ),
    "REDIS__URL": ("localhost:6379", "redis://host:port/0 is expected"),
    "SMTP_OUT__URL": ("smtp://one:25,ftp://me:hidden@two", "smtp://, smtps:// or smtp+starttls://host:port is expected"),
    "LOG__LEVEL": ("loud", "one of these is expected: 'debug', 'info', 'warning', 'error'"),
    "SANDBOX": ("perhaps", "1 or 0 is expected"),
}


@pytest.fixture(autouse=True)
def nothing_else(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("name", BAD)
def test_each_is_named_with_what_is_expected(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    value, words = BAD[name]
    monkeypatch.setenv(f"PRIYOM_{name}", value)
    with pytest.raises(BadSettings) as refused:
        load_settings()
    assert {variable: str(problem) for variable, problem in refused.value.problems.items()} == {f"PRIYOM_{name}": words}
    assert "hidden" not in str(refused.value)
    assert translate("ru", refused.value.problems[f"PRIYOM_{name}"]) != words, "it is said in Russian as well"


def test_all_are_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, (value, _words) in BAD.items():
        monkeypatch.setenv(f"PRIYOM_{name}", value)
    with pytest.raises(BadSettings) as refused:
        load_settings()
    assert set(refused.value.problems) == {f"PRIYOM_{name}" for name in BAD}


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("postgres://me@host/desk", "postgresql+asyncpg://me@host/desk"),
        ("postgresql://me@host/desk?sslmode=require", "postgresql+asyncpg://me@host/desk?ssl=require"),
        ("postgresql+asyncpg://me@host/desk", "postgresql+asyncpg://me@host/desk"),
        ("sqlite:///desk.sqlite3", "sqlite+aiosqlite:///desk.sqlite3"),
    ],
)
def test_addresses_of_stores_may_be_written_as_elsewhere(given: str, kept: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRIYOM_DATABASE__URL", given)
    assert load_settings().database_url == kept


def test_a_variable_that_is_none_of_ours_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRIYOM_HTTP_PORT", "9000")
    monkeypatch.setenv("PRIYOM_HTTP__PORT", "9001")
    assert unknown_variables().get("PRIYOM_HTTP_PORT") == "PRIYOM_HTTP__PORT"
    assert "PRIYOM_HTTP__PORT" not in unknown_variables()


def test_a_home_that_is_a_file_is_refused_in_words(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "taken").touch()
    monkeypatch.setenv("PRIYOM_HOME", str(tmp_path / "taken"))
    with pytest.raises(HomeUnusable) as refused:
        load_settings().key()
    assert refused.value.fields["home"] == str(tmp_path / "taken")
