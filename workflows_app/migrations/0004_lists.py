"""Lists of runs: sorted by time, duration and size without a scan, and the words of all messages."""

import django.db.models
from django.db import migrations, models

import workflows_app.models.elapsed

# Lines of up to a MiB are stored; a tsvector takes a MiB, so of longer ones only the beginning is found.
POSTGRESQL = r"""
CREATE INDEX message_words ON workflows_app_runmessage USING gin (
    to_tsvector('simple', regexp_replace(left(text, 20000), '[\x01-\x2f\x3a-\x40\x5b-\x60\x7b-\x7f]+', ' ', 'g'))
)
"""
# The index has no text of its own. The triggers go when the table is made anew: a migration that lets
# Django do so must create them again (tests/services/test_run_search.py holds it to that).
SQLITE = (
    """
    CREATE VIRTUAL TABLE message_words USING fts5(
        text, content='workflows_app_runmessage', content_rowid='id', tokenize='unicode61 remove_diacritics 0'
    )
    """,
    """
    CREATE TRIGGER message_words_insert AFTER INSERT ON workflows_app_runmessage BEGIN
        INSERT INTO message_words (rowid, text) VALUES (new.id, new.text);
    END
    """,
    """
    CREATE TRIGGER message_words_delete AFTER DELETE ON workflows_app_runmessage BEGIN
        INSERT INTO message_words (message_words, rowid, text) VALUES ('delete', old.id, old.text);
    END
    """,
    """
    CREATE TRIGGER message_words_update AFTER UPDATE OF id, text ON workflows_app_runmessage BEGIN
        INSERT INTO message_words (message_words, rowid, text) VALUES ('delete', old.id, old.text);
        INSERT INTO message_words (rowid, text) VALUES (new.id, new.text);
    END
    """,
    "INSERT INTO message_words (message_words) VALUES ('rebuild')",
)


def index_words(apps, editor):
    """Index the words of all messages, and let the database keep the index up."""
    for statement in SQLITE if editor.connection.vendor == "sqlite" else (POSTGRESQL,):
        editor.execute(statement, params=None)


def drop_words(apps, editor):
    """Take the index away again."""
    if editor.connection.vendor == "sqlite":
        for when in ("insert", "delete", "update"):
            editor.execute(f"DROP TRIGGER message_words_{when}", params=None)
        editor.execute("DROP TABLE message_words", params=None)
    else:
        editor.execute("DROP INDEX message_words", params=None)


class Migration(migrations.Migration):

    dependencies = [("workflows_app", "0003_trends")]

    operations = [
        migrations.AddField(
            model_name="run",
            name="seconds",
            field=models.GeneratedField(
                db_persist=True,
                expression=workflows_app.models.elapsed.Elapsed(
                    django.db.models.F("started"), django.db.models.F("finished")
                ),
                output_field=models.FloatField(null=True),
            ),
        ),
        migrations.AddIndex(
            model_name="run",
            index=models.Index(
                fields=["-started", "-id", "status", "profile", "config", "policy", "type"],
                name="run_by_start",
            ),
        ),
        migrations.AddIndex(
            model_name="run",
            index=models.Index(
                fields=["-seconds", "-id", "status", "profile", "config", "policy", "type", "started"],
                name="run_by_duration",
            ),
        ),
        migrations.AddIndex(
            model_name="run",
            index=models.Index(
                fields=["-backup_bytes", "-id", "status", "profile", "config", "policy", "type", "started"],
                name="run_by_size",
            ),
        ),
        migrations.RunPython(index_words, drop_words),
    ]
