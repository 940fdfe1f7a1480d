import pytest

from workflows_app.plugins.environment import child_environment


@pytest.mark.parametrize(
    "name",
    [
        "FOSSUL_WORKER_THREADS", "DATABASE_URL", "DATABASE_URL_FILE", "DJANGO_SETTINGS_MODULE",
        "TEMPORAL_ADDRESS", "TEMPORAL_API_KEY", "MyUser", "MyPass",
        "SECRET_KEY", "SECRET_KEY_FILE", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "GITHUB_TOKEN",
        "PGPASSWORD", "MYSQL_PWD", "REDISCLI_AUTH", "DB_PASS", "SMTP_PASSWD", "SSH_PASSPHRASE",
        "OPENAI_API_KEY", "SOMEAPIKEY", "CREDENTIALS_DIRECTORY", "db_password", "KEY",
    ],
)  # fmt: skip
def test_credentials_and_the_workers_own_settings_stay_behind(name: str) -> None:
    assert child_environment({name: "x"}) == {}


def test_addresses_with_a_password_stay_behind() -> None:
    assert child_environment({"BROKER": "amqp://me:secret@host//", "CACHE": "redis://:pw@host"}) == {}


def test_what_a_command_needs_is_passed_on() -> None:
    environ = {
        "PATH": "/usr/bin",
        "HOME": "/root",
        "LANG": "de_DE.UTF-8",
        "TZ": "UTC",
        "PWD": "/srv",
        "OLDPWD": "/",
        "AWS_ACCESS_KEY_ID": "AKIA0",
        "AWS_REGION": "eu-west-1",
        "PGHOST": "db",
        "SSH_AUTH_SOCK": "/run/agent",
        "KEYBOARD": "de",
        "COMPASS": "north",
        "HTTPS_PROXY": "http://proxy:3128",
        "REPOSITORY": "ssh://git@host/path:1@2",
        "MY_FOSSUL_NOTE": "kept",
    }
    assert child_environment(environ) == environ
