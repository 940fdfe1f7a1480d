"""The page of a policy's retention: what its form sends."""

import re

import pytest
from django.test import Client

from tests.factories import make_catalog
from tests.web.test_control import login

pytestmark = pytest.mark.django_db


def test_the_token_goes_with_what_is_saved_and_not_into_the_address_of_a_preview() -> None:
    config = make_catalog("shop", "orders")
    client = Client(enforce_csrf_checks=True)
    login(client, "admin")
    page = "/profiles/shop/orders/daily/retention/"
    html = client.get(page).content.decode()
    form = re.search(r'<form class="stack".*?</form>', html, re.DOTALL)[0]
    (button,) = re.findall(r"<[^>]*csrfmiddlewaretoken[^>]*>", form)
    assert button.startswith("<button")
    token = re.search(r'value="(\w+)"', button)[1]
    typed = {"opened": re.search(r'name="opened" value="(\d+)"', form)[1], "keep": "4"}
    assert client.post(page, typed).status_code == 403
    assert client.post(page, typed | {"csrfmiddlewaretoken": token}).status_code == 302
    assert config.policies.get(name="daily").keep_backups == 4
