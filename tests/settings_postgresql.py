"""The settings of the tests that run on PostgreSQL, too: those of the others, with another database."""

import os

import dj_database_url

from tests.settings import *  # noqa: F403

DATABASES = {"default": dj_database_url.parse(os.environ["POSTGRESQL_URL"])}
