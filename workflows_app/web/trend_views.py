"""What pages show of trends: the strip of days, the charts of durations and sizes, and the marks in words.

Geometry is in units of the drawing's own ``viewBox``; paths are vertical strokes, so that a few bytes
are a bar.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby
from urllib.parse import urlencode

from django.conf import settings

from workflows_app.domain.durations import in_words
from workflows_app.domain.states import RunState
from workflows_app.domain.trends import ENOUGH, Band, Completed, ConfigTrend, Day, Point, PolicyTrend
from workflows_app.web.statuses import RUN_STATUS
from workflows_app.web.templatetags.fossul import size as size_words

DAY_WIDTH = 6
STRIP_HEIGHT = 20
BAR_WIDTH = 10
CHART_WIDTH = 300
CHART_HEIGHT = 60
# Above the bars there is room for a mark.
MARK_ROOM = 10
SPARK_HEIGHT = 16

# Each kind of day has a height of its own, so that it is told without its colour. A day without a backup is a dot.
_DAY_HEIGHTS = {"complete": 12, "running": 12, "waiting": 12, "cancelled": 6, "error": 20, "unknown": 20}
_NO_BACKUP = 2
