"""What a dashboard's database is filled with; called in ``manage.py shell`` of that dashboard."""

import json
from datetime import timedelta

from django.db import connection

from workflows_app.models import BackupConfig, Profile, Run, RunMessage

BATCH = 5000
PROFILES, CONFIGS = 4, 5
WORDS = "copied verified skipped opened closed hashed"


def config(profile: str, name: str, settings: str) -> int:
    """Make a configuration with the policy ``daily``; ``settings`` is JSON. Answers its key."""
    owner, _ = Profile.objects.get_or_create(name=profile)
    made = BackupConfig.objects.create(profile=owner, name=name, settings=json.loads(settings))
    made.policies.create(name="daily", keep_backups=5, position=0)
    return made.pk


def lines(count: int) -> int:
    """Make a closed run whose first step printed so many lines, and answer its number.

    It is like the newest run that there is, of which it has progress and result. Line 7 of every 1000 (and
    the last but three) has the word ``needle``.
    """
    _copy(Run.objects.latest("pk"), 1)
    run = Run.objects.latest("pk")
    begun = run.started
    RunMessage.objects.bulk_create(
        (
            RunMessage(
                run=run, step=1, attempt=1, seq=seq, time=begun + timedelta(milliseconds=seq), level="INFO",
                text=f"/srv/data/{seq % 977:04}/{seq:07}.dat {WORDS.split()[seq % 6]}"
                + (" needle" if seq % 1000 == 7 or seq == count - 3 else ""),
            )
            for seq in range(1, count + 1)
        ),
        batch_size=BATCH,
    )  # fmt: skip
    return run.pk


def runs(until: int) -> int:
    """Make closed runs until there are so many; answer how many there are.

    They are like the newest complete run, five minutes apart, of 20 configurations in 4 profiles; every
    second is of shop-1/app-1, every fiftieth failed.
    """
    model = Run.objects.filter(status="COMPLETED").latest("pk")
    for owner in range(PROFILES):
        for name in range(CONFIGS):
            if not BackupConfig.objects.filter(profile__name=f"shop-{owner}", name=f"app-{name}").exists():
                config(f"shop-{owner}", f"app-{name}", '{"storagePlugin": "sample-storage"}')
    _copy(model, until - Run.objects.count())
    return Run.objects.count()


def _copy(model: Run, count: int) -> None:
    """Copy a run within the database; what differs is an expression of the copy's number ``n``."""
    place = "CASE WHEN n % 2 THEN 1 ELSE n / 2 % {} END"
    profile = f"'shop-' || {place.format(PROFILES)}"
    name = f"'app-' || {place.format(CONFIGS)}"
    moment = "strftime('%Y-%m-%d %H:%M:%f', {}, '-' || (5 * ({} - n)) || ' minutes')"
    values = {
        "workflow_id": f"'fossul/' || {profile} || '/' || {name}",
        "run_id": "lower(hex(randomblob(16)))",
        "profile": profile,
        "config": name,
        "status": "CASE n % 50 WHEN 49 THEN 'ERROR' ELSE status END",
        "failure": "CASE n % 50 WHEN 49 THEN 'The command ended with exit code 1' ELSE failure END",
        "started": moment.format("started", count),
        "finished": moment.format("finished", count),
    }
    fields = [field for field in Run._meta.concrete_fields if not field.primary_key and not field.generated]
    columns = [field.column for field in fields]
    with connection.cursor() as cursor:
        cursor.execute(
            "WITH RECURSIVE numbers(n) AS "  # noqa: S608 - names of our own model, and whole numbers
            f"(SELECT 0 UNION ALL SELECT n + 1 FROM numbers WHERE n < {count - 1}) "
            f"INSERT INTO workflows_app_run ({', '.join(columns)}) "
            f"SELECT {', '.join(values.get(column, column) for column in columns)} "
            f"FROM numbers, workflows_app_run WHERE id = {model.pk} ORDER BY n"
        )
