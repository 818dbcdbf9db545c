"""Settings come from the file, the environment and secret files; mistakes say what to do."""

import os
from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError

from bot.settings import loading
from bot.settings.sections import Settings

TOKEN = "123456:AAH-marked_secret_token"


def _write(path: Path, text: str, mode: int = 0o600) -> Path:
    path.write_text(text)
    path.chmod(mode)
    return path


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path, monkeypatch):
    """Start in an empty folder, with an environment that must not matter."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("KENTONGAN_SERVER__PORT", "1")


def _refusal(toml: str = "", environ: dict[str, str] | None = None) -> str:
    """Load, expect a refusal of one line, and return it."""
    path = _write(Path("bad.toml"), toml)
    with pytest.raises(loading.BadConfig) as refusal:
        loading.load(path, environ or {})
    line = str(refusal.value)
    assert "\n" not in line
    assert refusal.value.__context__ is None or refusal.value.__suppress_context__
    return line


def test_nothing_set_gives_the_defaults():
    settings = loading.load(None, {})
    assert settings == Settings()
    assert settings.server.port == 8080
    assert settings.database.url.get_secret_value() == "sqlite:///kentongan.db"
    assert settings.agency.languages == ("id", "en")
    assert not settings.telegram.token


def test_the_environment_wins_over_the_file(tmp_path):
    path = _write(
        tmp_path / "some.toml",
        '[server]\nport = 9000\nhost = "::1"\n[agency]\nlanguages = ["en"]\n'
        '[twilio.templates.en]\nnews = "HX1"\n',
    )
    settings = loading.load(
        path,
        {
            "KENTONGAN_SERVER__PORT": "9001",
            "KENTONGAN_AGENCY__LANGUAGES": "id, en",
            "KENTONGAN_TWILIO__TEMPLATES__ID__NEWS": "HX2",
            "KENTONGAN_TWILIO__ERASE_COPIES": "no",
            "HOME": "/root",
        },
    )
    assert (settings.server.port, settings.server.host) == (9001, "::1")
    assert settings.agency.languages == ("id", "en")
    assert settings.twilio.templates["en"].news == "HX1"
    assert settings.twilio.templates["id"].news == "HX2"
    assert settings.twilio.erase_copies is False


def test_the_path_is_given_named_by_a_variable_or_found_here(tmp_path):
    _write(tmp_path / "config.toml", "[server]\nport = 9001\n")
    named = _write(tmp_path / "named.toml", "[server]\nport = 9002\n")
    given = _write(tmp_path / "given.toml", "[server]\nport = 9003\n")
    variable = {"KENTONGAN_CONFIG": str(named), "KENTONGAN_PASSPHRASE": "six words"}
    assert loading.load(None, {}).server.port == 9001
    assert loading.load(None, variable).server.port == 9002
    assert loading.load(given, variable).server.port == 9003


def test_settings_are_frozen():
    settings = loading.load(None, {})
    with pytest.raises(ValidationError):
        settings.server.port = 1
    with pytest.raises(ValidationError):
        settings.server = settings.server


def test_a_secret_is_shown_nowhere():
    settings = loading.load(None, {"KENTONGAN_TELEGRAM__TOKEN": TOKEN})
    assert settings.telegram.token.get_secret_value() == TOKEN
    assert TOKEN not in f"{settings!r} {settings} {settings.model_dump_json()}"


SECRETS = [key for key, secret in loading.known_keys().items() if secret]
GOOD_SECRETS = {
    "database.url": "postgresql://who:what@db.example/name",
    "telegram.token": TOKEN,
    "keys.server_key": "1:abc",
}


@pytest.mark.parametrize("key", sorted(set(SECRETS) - {"keys.server_key"}))
def test_every_secret_may_lie_in_a_file_of_its_own(key, tmp_path):
    value = GOOD_SECRETS.get(key, "sixteen-characters-or-more")
    path = _write(tmp_path / "secret", f"{value}\n", 0o400)
    section, name = key.split(".")
    variable = "KENTONGAN_" + key.upper().replace(".", "__")
    for written, environ in (
        (f'[{section}]\n{name}_file = "{path}"\n', {}),
        (f'[{section}]\n{name} = "from-the-file"\n', {f"{variable}_FILE": str(path)}),
        (f'[{section}]\n{name}_file = "/nowhere"\n', {variable: value}),
    ):
        settings = loading.load(_write(tmp_path / "a.toml", written), environ)
        held = getattr(getattr(settings, section), name)
        assert held == SecretStr(value)


def test_a_secret_and_its_file_together_are_refused(tmp_path):
    path = _write(tmp_path / "token", TOKEN)
    line = _refusal(f'[telegram]\ntoken = "{TOKEN}"\ntoken_file = "{path}"\n')
    assert "telegram.token and telegram.token_file are both set" in line
    assert TOKEN not in line


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o601], ids=oct)
def test_a_secret_file_that_others_may_open_is_refused(mode, tmp_path):
    path = _write(tmp_path / "token", TOKEN, mode)
    line = _refusal(environ={"KENTONGAN_TELEGRAM__TOKEN_FILE": str(path)})
    assert line == f"secret file {path}: others may read it; run: chmod 600 {path}"


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "is empty or too long"),
        (b"\n", "is empty or too long"),
        (b"x" * 70_000, "is empty or too long"),
        (b"\xff\xfe", "is no text"),
    ],
    ids=["empty", "newline", "huge", "binary"],
)
def test_a_secret_file_without_a_secret_is_refused(content, expected, tmp_path):
    path = tmp_path / "token"
    path.write_bytes(content)
    path.chmod(0o600)
    assert expected in _refusal(environ={"KENTONGAN_TELEGRAM__TOKEN_FILE": str(path)})


def test_a_secret_file_that_is_missing_or_no_file_is_refused(tmp_path):
    environ = {"KENTONGAN_TELEGRAM__TOKEN_FILE": str(tmp_path / "gone")}
    assert "no such file" in _refusal(environ=environ)
    environ = {"KENTONGAN_TELEGRAM__TOKEN_FILE": str(tmp_path)}
    assert "is a directory" in _refusal(environ=environ)
    assert "is no file" in _refusal(
        environ={"KENTONGAN_TELEGRAM__TOKEN_FILE": os.devnull}
    )


def test_the_server_key_is_read_from_file_or_environment(tmp_path):
    key = _write(tmp_path / "server.key", "1:abc\n2:def\n")
    settings = loading.load(None, {})
    assert loading.server_key(settings, {}).get_secret_value() == "1:abc\n2:def"
    settings = loading.load(None, {"KENTONGAN_KEYS__SERVER_KEY": "3:ghi"})
    assert loading.server_key(settings, {}).get_secret_value() == "3:ghi"
    key.chmod(0o644)
    assert "chmod 600" in _refusal()
    loading.load(None, {"KENTONGAN_KEYS__SERVER_KEY": "3:ghi"})


def test_a_missing_server_key_is_refused_only_when_it_is_needed():
    settings = loading.load(None, {})
    with pytest.raises(loading.BadConfig, match=r"server\.key: no such file"):
        loading.server_key(settings, {})


def test_a_systemd_credential_may_show_the_access_list_of_its_service(tmp_path):
    path = _write(tmp_path / "server.key", "1:abc", 0o440)
    environ = {
        "KENTONGAN_KEYS__SERVER_KEY_FILE": str(path),
        "CREDENTIALS_DIRECTORY": str(tmp_path),
    }
    assert (
        loading.server_key(loading.load(None, environ), environ).get_secret_value()
        == "1:abc"
    )
    path.chmod(0o444)
    assert "chmod 600" in _refusal(environ=environ)
    path.chmod(0o440)
    assert "chmod 600" in _refusal(
        environ={**environ, "CREDENTIALS_DIRECTORY": "/elsewhere"}
    )


def test_kubernetes_hands_a_secret_over_behind_a_link(tmp_path):
    version = tmp_path / "..2026_11_30"
    version.mkdir()
    _write(version / "server-key", "1:abc", 0o440)
    (tmp_path / "..data").symlink_to(version)
    (tmp_path / "server-key").symlink_to(Path("..data", "server-key"))
    environ = {
        "KENTONGAN_KEYS__SERVER_KEY_FILE": str(tmp_path / "server-key"),
        "CREDENTIALS_DIRECTORY": str(tmp_path),
    }
    settings = loading.load(None, environ)
    assert loading.server_key(settings, environ).get_secret_value() == "1:abc"
    outside = _write(tmp_path.with_suffix(".outside"), "1:abc", 0o440)
    (tmp_path / "server-key").unlink()
    (tmp_path / "server-key").symlink_to(outside)
    assert "chmod 600" in _refusal(environ=environ)


def test_a_config_file_with_a_secret_is_for_its_owner_alone(tmp_path):
    path = _write(tmp_path / "a.toml", f'[telegram]\ntoken = "{TOKEN}"\n', 0o644)
    with pytest.raises(
        loading.BadConfig, match=r"holds telegram\.token and others may read it"
    ):
        loading.load(path, {})
    path.chmod(0o600)
    assert loading.load(path, {}).telegram.token
    _write(path, '[telegram]\ntoken = ""\n[database]\nurl = "sqlite:///a.db"\n', 0o644)
    assert not loading.load(path, {}).telegram.token
    _write(path, '[database]\nurl = "postgresql://a:b@c/d"\n', 0o644)
    with pytest.raises(loading.BadConfig, match=r"holds database\.url"):
        loading.load(path, {})


@pytest.mark.parametrize(
    ("toml", "expected"),
    [
        (
            '[telegram]\ntokn = "x"',
            "unknown key telegram.tokn; did you mean telegram.token?",
        ),
        ("[sever]\nport = 1", "unknown key sever.port; did you mean server.port?"),
        ("port = 1", "unknown key port; did you mean server.port?"),
        ("zzzzzz = 1", "unknown key zzzzzz; see config.example.toml"),
        ('telegram = "x"', "unknown key telegram; did you mean telegram.mode?"),
        ("[[telegram]]\ntoken = 1", "unknown key telegram"),
        ('[twilio.templates.id]\nnewz = "HX1"', "unknown key twilio.templates.id.newz"),
        ('[twilio.templates]\nnews = "HX1"', "unknown key twilio.templates.news"),
        (f"[telegram]\ntoken = {TOKEN}", "is not valid TOML at line 2, column"),
        ("[telegram", "is not valid TOML at "),
        ("server = {", "is not valid TOML"),
    ],
)
def test_a_mistake_in_the_file_is_named(toml, expected):
    line = _refusal(toml)
    assert line.startswith("bad.toml: ")
    assert expected in line
    assert TOKEN not in line


def test_a_file_that_is_missing_or_unreadable_is_named(tmp_path):
    with pytest.raises(
        loading.BadConfig, match=r"gone\.toml: no such file; make one with"
    ):
        loading.load(tmp_path / "gone.toml", {})
    (tmp_path / "latin.toml").write_bytes(b'[agency]\nname = "\xe9"\n')
    with pytest.raises(loading.BadConfig, match="is not valid TOML somewhere"):
        loading.load(tmp_path / "latin.toml", {})


@pytest.mark.parametrize(
    ("variable", "expected"),
    [
        ("KENTONGAN_TELEGRAM__TOKN", "did you mean KENTONGAN_TELEGRAM__TOKEN?"),
        ("KENTONGAN_TELEGRAM_TOKEN", "did you mean KENTONGAN_TELEGRAM__TOKEN?"),
        ("KENTONGAN_TELEGRAM", "did you mean KENTONGAN_TELEGRAM__"),
        ("KENTONGAN_", "unknown variable KENTONGAN_; see config.example.toml"),
        (
            "KENTONGAN_QQQQQ",
            "unknown variable KENTONGAN_QQQQQ; see config.example.toml",
        ),
        ("KENTONGAN_TWILIO__TEMPLATES", "unknown variable"),
        ("kentongan_telegram__tokn", "did you mean KENTONGAN_TELEGRAM__TOKEN?"),
    ],
)
def test_a_misspelt_variable_is_named(variable, expected):
    line = _refusal(environ={variable: TOKEN})
    assert expected in line
    assert TOKEN not in line


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("server.port", "0", "greater than or equal to 1"),
        ("server.port", "65536", "less than or equal to 65535"),
        ("server.port", "http", "valid integer"),
        ("server.public_url", "http://lapor.example", "must begin with https://"),
        ("server.public_url", "https://lapor.example/bot", "without a path"),
        ("server.public_url", "https://lapor.example:99999", "out of range"),
        ("server.public_url", "https://u:p@lapor.example", "plain address"),
        ("server.public_url", "lapor.example", "without a path"),
        ("server.metrics_token", "short", "at least 16 characters"),
        ("database.url", "mysql://a/b", "must be sqlite:///file.db or postgresql://"),
        ("database.url", "sqlite://", "must be sqlite:///file.db"),
        ("database.url", "sqlite:///:memory:", "must be sqlite:///file.db"),
        ("database.url", "postgresql+asyncpg://a/b", "must be sqlite:///file.db"),
        ("database.writers", "9", "less than or equal to 8"),
        ("logs.level", "loud", "'debug', 'info', 'warning' or 'error'"),
        ("bucket.name", "Evidence_", "must be a bucket's name"),
        ("bucket.endpoint", "http://minio.local:9000", "must begin with https://"),
        ("bucket.endpoint", "https://minio.local/evidence", "without a path"),
        ("bucket.prefix", "/house/", "must be as in a/b"),
        ("agency.name", "", "at least 1 character"),
        ("agency.jurisdiction", "../id", "must be a folder of rules"),
        ("agency.province", "Jambi", "must be two digits of regions.toml"),
        ("agency.timezone", "Asia/Jakrta", "'Asia/Jakrta' is no time zone"),
        ("agency.languages", "", "must list each language once"),
        ("agency.languages", "id,id", "must list each language once"),
        ("agency.languages", "Bahasa", "must list each language once"),
        ("agency.info_url", "example.go.id", "must be a web address"),
        ("telegram.token", "marked", "is no bot token"),
        ("telegram.mode", "pull", "'polling' or 'webhook'"),
        ("telegram.webhook_secret", "sixteen characters!", "16 to 256 of A-Z"),
        (
            "telegram.api_base_url",
            "http://api.telegram.org/bot",
            "must begin with https://",
        ),
        (
            "telegram.api_base_url",
            "http://127.0.0.1.example/bot",
            "must begin with https://",
        ),
        ("telegram.file_base_url", "ftp://127.0.0.1/", "must begin with https://"),
        ("telegram.api_base_url", "", "plain address"),
        ("twilio.api_base_url", "http://10.0.0.1", "must begin with https://"),
        ("twilio.api_base_url", "https://twilio.example/?a=1", "plain address"),
        ("twilio.account_sid", "SK123", "must be an account SID"),
        ("twilio.sms_number", "081234567890", "must be the number alone with +"),
        (
            "twilio.whatsapp_number",
            "whatsapp:+62812345678",
            "must be the number alone with +",
        ),
        ("twilio.erase_copies", "perhaps", "valid boolean"),
        ("twilio.templates.id.news", "news", "must be a content SID"),
    ],
)
def test_a_bad_value_is_refused_with_its_place(key, value, expected):
    variable = "KENTONGAN_" + key.upper().replace(".", "__")
    line = _refusal(environ={variable: value})
    assert line.startswith(f"{variable}: ")
    assert expected in line


@pytest.mark.parametrize(
    "host", ["127.0.0.1:8081", "localhost", "[::1]:9", "[::ffff:127.0.0.1]"]
)
def test_a_test_server_on_this_machine_may_speak_plain_http(host):
    settings = loading.load(
        None, {"KENTONGAN_TELEGRAM__API_BASE_URL": f"http://{host}/bot/"}
    )
    assert settings.telegram.api_base_url == f"http://{host}/bot"


def test_a_bad_value_in_the_file_names_the_file_and_counts_the_rest():
    line = _refusal('[server]\nport = 0\nhost = ""\n[twilio]\nsms_number = "1"\n')
    assert line.startswith("bad.toml: server.host: ")
    assert line.endswith("(2 more to fix)")


def test_a_bad_secret_file_value_names_no_value(tmp_path):
    path = _write(tmp_path / "token", "a marked secret")
    line = _refusal(environ={"KENTONGAN_TELEGRAM__TOKEN_FILE": str(path)})
    assert "telegram.token: is no bot token" in line.lower().replace(
        "kentongan_telegram__", "telegram."
    )
    assert "marked" not in line


WEBHOOK = {
    "KENTONGAN_TELEGRAM__TOKEN": TOKEN,
    "KENTONGAN_TELEGRAM__MODE": "webhook",
    "KENTONGAN_TELEGRAM__WEBHOOK_SECRET": "sixteen-characters",
    "KENTONGAN_SERVER__PUBLIC_URL": "https://lapor.example:8443/",
}
TWILIO = {
    "KENTONGAN_TWILIO__ACCOUNT_SID": "AC0123",
    "KENTONGAN_TWILIO__AUTH_TOKEN": "marked",
    "KENTONGAN_TWILIO__SMS_NUMBER": "+15005550006",
    "KENTONGAN_SERVER__PUBLIC_URL": "http://127.0.0.1:8080",
}


BUCKET = {
    "KENTONGAN_BUCKET__NAME": "evidence",
    "KENTONGAN_BUCKET__ACCESS_KEY_ID": "of-the-house",
    "KENTONGAN_BUCKET__SECRET_ACCESS_KEY": "marked",
}


@pytest.mark.parametrize(
    ("environ", "without", "expected"),
    [
        (
            WEBHOOK,
            "KENTONGAN_TELEGRAM__WEBHOOK_SECRET",
            "telegram.webhook_secret is needed",
        ),
        (WEBHOOK, "KENTONGAN_SERVER__PUBLIC_URL", "server.public_url is needed"),
        (TWILIO, "KENTONGAN_TWILIO__AUTH_TOKEN", "twilio.auth_token is needed"),
        (TWILIO, "KENTONGAN_TWILIO__SMS_NUMBER", "twilio.whatsapp_number is needed"),
        (BUCKET, "KENTONGAN_BUCKET__ACCESS_KEY_ID", "bucket.access_key_id"),
        (BUCKET, "KENTONGAN_BUCKET__SECRET_ACCESS_KEY", "are needed when"),
        (TWILIO, "KENTONGAN_SERVER__PUBLIC_URL", "server.public_url (Twilio calls it"),
    ],
)
def test_settings_that_need_each_other(environ, without, expected):
    loading.load(None, environ)
    rest = {name: value for name, value in environ.items() if name != without}
    assert expected in _refusal(environ=rest)


def test_telegram_calls_four_ports_only_unless_the_api_is_our_own():
    odd = WEBHOOK | {"KENTONGAN_SERVER__PUBLIC_URL": "https://lapor.example:8080"}
    assert "has port 8080, but Telegram calls only 443" in _refusal(environ=odd)
    own = odd | {"KENTONGAN_TELEGRAM__API_BASE_URL": "http://127.0.0.1:8081/bot"}
    assert loading.load(None, own).server.public_url == "https://lapor.example:8080"


def test_a_template_needs_its_language():
    line = _refusal('[twilio.templates.jv]\nnews = "HX1"\n')
    assert (
        "twilio.templates.jv is for a language that agency.languages does not list"
        in line
    )
