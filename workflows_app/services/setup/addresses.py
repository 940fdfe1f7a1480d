"""Where things are found, as whole addresses: for those who read of them elsewhere than on a page."""

from urllib.parse import urljoin

from django.conf import settings
from django.urls import reverse

from workflows_app.services.setup.setup import url


def run_address(number: int) -> str:
    """The address of a run's page."""
    return address("run", number)


def config_address(profile: str, config: str) -> str:
    """The address of a configuration's page."""
    return address("config", profile, config)


def address(page: str, *arguments: object) -> str:
    """The address of a page, below FOSSUL_URL or else where this machine serves it."""
    return urljoin(settings.FOSSUL_URL or url(), reverse(page, args=arguments))
