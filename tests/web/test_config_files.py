"""Import and export on their page: downloads, a plan of an upload, and taking it."""

import io
import json
import re
import zipfile
from html import unescape
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from tests.factories import make_catalog
from tests.web.test_control import login
from workflows_app.models import AuditEntry, BackupConfig, Profile
from workflows_app.services.files.config_archives import LARGEST_UPLOAD

pytestmark = pytest.mark.django_db

PLANTED = "correct-horse-battery"
PAGE = reverse("config-files")
PLAN = reverse("plan-import")
APPLY = reverse("apply-import")
DOWNLOAD = reverse("download-configs")


@pytest.fixture(autouse=True)
def setting_up(settings) -> None:
    settings.FOSSUL_SECRETS_KEYS = ["the first key"]
    settings.TEMPORAL_ADDRESS = "127.0.0.1:1"


@pytest.fixture
def admin(client: Client) -> Client:
    login(client, "admin")
    return client


@pytest.fixture
def profile() -> str:
    return f"p-{uuid4().hex[:8]}"


def files(main: str = 'AppPlugin = "vault"\n') -> list[SimpleUploadedFile]:
    texts = {"app.conf": main, "vault.conf": f'Password = "{PLANTED}"\n'}
    return [SimpleUploadedFile(name, text.encode()) for name, text in texts.items()]


def upload(admin: Client, profile: str, main: str = 'AppPlugin = "vault"\n') -> str:
    """The page after single files of ``profile``/app were uploaded."""
    answer = admin.post(PLAN, {"profile": profile, "config": "app", "files": files(main)})
    return answer.content.decode()


def token_in(page: str) -> str:
    return unescape(re.search('name="token" value="([^"]+)"', page)[1])


def text_of(page: str) -> str:
    return " ".join(re.sub("<[^>]+>", " ", unescape(page)).split())


def test_an_upload_is_shown_first_and_then_taken(admin, profile):
    page = upload(admin, profile)
    assert "would be made" in page
    assert "+AppPlugin = " in unescape(page)
    assert PLANTED not in page
    assert not BackupConfig.objects.exists()
    answer = admin.post(APPLY, {"token": token_in(page)})
    assert answer.status_code == 200
    assert reverse("config", args=[profile, "app"]) in answer.content.decode()
    assert BackupConfig.objects.get().name == "app"


def test_what_a_profile_says_of_itself_is_downloaded_and_uploaded(admin):
    row = make_catalog()
    owner = row.profile
    Profile.objects.filter(pk=owner.pk).update(description="<b>the harbour</b>", disabled=True)
    content = b"".join(admin.post(DOWNLOAD, {"place": owner.name}).streaming_content)
    assert f"{owner}/{owner}.conf" in zipfile.ZipFile(io.BytesIO(content)).namelist()
    Profile.objects.filter(pk=owner.pk).update(description="", disabled=False)
    page = admin.post(PLAN, {"archive": SimpleUploadedFile("x.zip", content)}).content.decode()
    assert f"{owner} , the profile itself would change" in text_of(page)
    assert "<b>the harbour" not in page
    answer = admin.post(APPLY, {"token": token_in(page)})
    assert reverse("profile", args=[owner.name]) in answer.content.decode()
    owner.refresh_from_db()
    assert (owner.description, owner.disabled) == ("<b>the harbour</b>", True)
    row.delete()
    owner.delete()
    page = admin.post(PLAN, {"archive": SimpleUploadedFile("x.zip", content)}).content.decode()
    assert f"{owner} , the profile itself would be made" in text_of(page)


def test_taking_it_again_shows_that_nothing_is_left_to_do(admin, profile):
    page = upload(admin, profile)
    admin.post(APPLY, {"token": token_in(page)})
    answer = admin.post(APPLY, {"token": token_in(page)})
    assert answer.status_code == 409
    assert "everything in these files is so already" in answer.content.decode()


def test_what_changed_meanwhile_is_shown_anew_and_can_be_taken_then(admin, profile):
    page = upload(admin, profile)
    make_catalog(profile, "app", appPlugin="vault")
    answer = admin.post(APPLY, {"token": token_in(page)})
    again = answer.content.decode()
    assert answer.status_code == 409
    assert "were changed since the plan was shown" in again
    assert "would change" in again
    assert admin.post(APPLY, {"token": token_in(again)}).status_code == 200


def test_a_refused_file_is_named_with_its_reason_and_nothing_can_be_taken(admin, profile):
    page = upload(admin, profile, 'AppPlugin = "vault"\nJobRetention = "x"\n')
    assert f"{profile}/app/app.conf refused JobRetention: it must be a whole number" in text_of(page)
    assert "Apply" not in page


def test_what_is_dropped_is_told_with_its_line(admin, profile):
    answer = admin.post(
        PLAN,
        {
            "profile": profile,
            "config": "app",
            "files": [
                SimpleUploadedFile("app.conf", b'AppPlugin = "vault"\nUnknown = 1\n'),
                SimpleUploadedFile("vault.conf", b'Host = "h"\nnonsense\n'),
            ],
        },
    )
    text = text_of(answer.content.decode())
    assert "dropped Unknown : Fossul knows no such setting" in text
    assert 'dropped a line in line 2 : it is not Key = "value"' in text


def test_a_folder_comes_with_the_paths_that_the_script_sends(admin, profile):
    paths = [f"configs/{profile}/app/{name}" for name in ("app.conf", "vault.conf")]
    answer = admin.post(PLAN, {"folder": files(), "paths": json.dumps(paths)})
    assert f"{profile}/app would be made" in text_of(answer.content.decode())


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, "choose a file first"),
        ({"archive": SimpleUploadedFile("x.zip", b"PK")}, "damaged"),
        ({"archive": SimpleUploadedFile("x.zip", bytes(LARGEST_UPLOAD + 1))}, "more than 4 MiB"),
        ({"archive": SimpleUploadedFile("x.rar", b"PK")}, "is none of .zip"),
        ({"files": files(), "profile": "a b", "config": "app"}, "is not a name"),
        ({"folder": files(), "paths": "nonsense"}, "is none of .zip"),
        ({"folder": files(), "paths": '["../x.conf", "../y.conf"]'}, "no path below its folder"),
    ],
)
def test_what_cannot_be_read_is_refused_in_words(admin, given, words):
    answer = admin.post(PLAN, given)
    assert answer.status_code == 422
    assert words in text_of(answer.content.decode())
    assert not BackupConfig.objects.exists()


@pytest.mark.parametrize("token", ["", "x", "sealed:x"])
def test_a_token_that_is_none_is_refused(admin, token):
    answer = admin.post(APPLY, {"token": token})
    assert answer.status_code == 409
    assert "Upload the files again" in answer.content.decode()


def test_a_download_is_an_archive_without_secrets(admin, profile):
    make_catalog(profile, "app", appPlugin="vault", appPluginParameters={"Password": PLANTED, "Host": "h"})
    answer = admin.get(DOWNLOAD, {"place": f"{profile}/app"})
    assert answer["Content-Disposition"] == f'attachment; filename="fossul-{profile}-app.zip"'
    assert answer["Cache-Control"] == "no-store"
    with zipfile.ZipFile(io.BytesIO(b"".join(answer.streaming_content))) as archive:
        texts = {name: archive.read(name).decode() for name in archive.namelist()}
    assert set(texts) == {f"{profile}/app/app.conf", f"{profile}/app/vault.conf", ".fossul-export.json"}
    assert PLANTED not in str(texts)
    assert AuditEntry.objects.count() == 0


def test_secrets_are_in_a_download_only_by_a_post_that_asks_for_them(admin, profile):
    make_catalog(profile, "app", appPlugin="vault", appPluginParameters={"Password": PLANTED})

    def vault(answer) -> str:
        with zipfile.ZipFile(io.BytesIO(b"".join(answer.streaming_content))) as archive:
            return archive.read(f"{profile}/app/vault.conf").decode()

    assert PLANTED not in vault(admin.get(DOWNLOAD, {"place": profile, "secrets": "yes"}))
    assert PLANTED not in vault(admin.post(DOWNLOAD, {"place": profile}))
    assert AuditEntry.objects.count() == 0
    assert PLANTED in vault(admin.post(DOWNLOAD, {"place": profile, "secrets": "yes"}))
    assert AuditEntry.objects.get().action == "downloaded the secrets of"


def test_what_is_not_there_is_not_found(admin):
    for place in ("", "nonesuch", "nonesuch/x"):
        assert admin.get(DOWNLOAD, {"place": place}).status_code == 404


def test_the_page_offers_every_configuration(admin):
    row = make_catalog()
    page = admin.get(PAGE).content.decode()
    assert f"<option>{row}</option>" in page
    assert f"All of {row.profile.name}" in page
    assert PAGE in admin.get(reverse("profiles")).content.decode()
    link = f'{DOWNLOAD}?place={row}"'
    assert link in admin.get(reverse("config", args=[row.profile.name, row.name])).content.decode()


@pytest.mark.parametrize("group", ["viewer", "operator"])
def test_only_who_may_configure_may_come_here(client, group, profile):
    login(client, group)
    make_catalog(profile, "app", appPlugin="vault", appPluginParameters={"Password": PLANTED})
    for answer in (
        client.get(PAGE),
        client.get(DOWNLOAD),
        client.post(DOWNLOAD, {"secrets": "yes"}),
        client.post(PLAN, {"profile": "p", "config": "app", "files": files()}),
        client.post(APPLY, {"token": "x"}),
    ):
        assert answer.status_code == 403
        assert PLANTED not in answer.content.decode()
    assert PAGE not in client.get(reverse("profiles")).content.decode()
    assert AuditEntry.objects.count() == 0


@pytest.mark.parametrize("address", [PLAN, APPLY, DOWNLOAD])
def test_a_change_needs_the_token_of_its_page(profile, address):
    client = Client(enforce_csrf_checks=True)
    login(client, "admin")
    assert client.post(address, {"token": "x", "secrets": "yes"}).status_code == 403


@pytest.mark.parametrize("paths", ['{"a": 1}', "[", "[" * 100_000, "[1]", "null"])
def test_paths_that_no_browser_sends_are_passed_over(admin, paths):
    answer = admin.post(PLAN, {"folder": SimpleUploadedFile("app.conf", b""), "paths": paths})
    assert answer.status_code == 422
    assert "say whose configuration they are" in answer.content.decode()


def test_more_files_than_a_page_takes_are_refused_in_words(admin, settings):
    settings.DATA_UPLOAD_MAX_NUMBER_FILES = 1
    answer = admin.post(PLAN, {"folder": [SimpleUploadedFile("app.conf", b"x") for _ in range(2)]})
    assert answer.status_code == 400
    assert "Send less at once" in answer.content.decode()
