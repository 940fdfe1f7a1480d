"""System checks: wrong or risky settings, told by ``manage.py check`` and at every start."""

from collections.abc import Sequence
from ipaddress import ip_address, ip_network
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage, Error, register


@register
def temporal_address(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """TEMPORAL_ADDRESS must be host:port."""
    host, _, port = settings.TEMPORAL_ADDRESS.rpartition(":")
    if host and port.isdecimal():
        return []
    return [
        Error(
            f"TEMPORAL_ADDRESS={settings.TEMPORAL_ADDRESS!r} is not host:port.",
            hint="For the embedded server use 127.0.0.1:7233.",
            id="fossul.E001",
        )
    ]


@register
def cleartext_passwords(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """A server that others can reach should be behind a proxy that ends TLS."""
    if settings.FOSSUL_HTTPS or _is_loopback(settings.HOST):
        return []
    return [
        checks.Warning(
            f"The dashboard listens on {settings.HOST} without HTTPS: passwords travel in clear.",
            hint="Put it behind a proxy that ends TLS and set FOSSUL_HTTPS=true (README, Deploying).",
            id="fossul.W001",
        )
    ]


@register
def plugin_folders(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """A plugin folder must not depend on where the worker happens to stand."""
    return [
        Error(
            f"FOSSUL_PLUGIN_DIRS names {str(folder)!r}, which is not an absolute path.",
            hint="Give absolute paths, separated by commas: /opt/fossul/plugins.",
            id="fossul.E002",
        )
        for folder in settings.FOSSUL_PLUGIN_DIRS
        if not folder.is_absolute()
    ]


@register
def notices(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """What notices are allowed and told must be addresses: a mistake would show when something is wrong."""
    found: list[CheckMessage] = []
    for network in settings.FOSSUL_NOTIFY_ALLOW:
        try:
            ip_network(network, strict=False)
        except ValueError:
            found.append(
                Error(
                    f"FOSSUL_NOTIFY_ALLOW names {network!r}, which is neither an address nor a network.",
                    hint="Give addresses or networks, separated by commas: 169.254.10.1, 169.254.20.0/24.",
                    id="fossul.E003",
                )
            )
    if settings.FOSSUL_URL and not settings.FOSSUL_URL.startswith(("https://", "http://")):
        found.append(
            Error(
                f"FOSSUL_URL={settings.FOSSUL_URL!r} is no address.",
                hint="Give the whole address of the dashboard: https://backups.example.org/.",
                id="fossul.E004",
            )
        )
    return found


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
