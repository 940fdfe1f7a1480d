"""The socket of the run page: who may look, what the page has, then frames until the run is closed."""

import json
import logging
import time

from asgiref.sync import sync_to_async

from workflows_app.domain.errors import FossulError
from workflows_app.services.logs.messages import Place
from workflows_app.services.people.permissions import Right
from workflows_app.services.runs import runs
from workflows_app.web.live.run_live import live_run
from workflows_app.web.live.sockets import CHECK_SECONDS, FINISHED, NOT_ALLOWED, TROUBLE, PageConsumer

logger = logging.getLogger(__name__)


class RunConsumer(PageConsumer):
    """Sends a run's changes to one page. The page first says which lines it has (``{"read": {…}}``)."""

    async def connect(self) -> None:
        """Accept whoever may view the run."""
        self._number = int(self.scope["url_route"]["kwargs"]["number"])
        actor = await self._actor()
        try:
            await sync_to_async(runs.get_run)(actor, self._number)
        except FossulError:
            await self.close(NOT_ALLOWED)
            return
        await self.accept()

    async def _send(self, hello: str) -> None:
        actor = await self._actor()
        checked = time.monotonic()
        try:
            with live_run(self._number).viewer(actor, _read(hello)) as viewer:
                async for frame in viewer.frames():
                    if time.monotonic() - checked > CHECK_SECONDS:
                        checked = time.monotonic()
                        if not (await self._actor()).may(Right.VIEW):
                            await self.close(NOT_ALLOWED)
                            return
                    if not await self._deliver(frame):
                        return
            await self.close(FINISHED)
        except Exception:
            logger.exception("The socket of run %d broke", self._number)
            await self.close(TROUBLE)


def _read(text: str) -> dict[Place, int]:
    """What the page says it has; nothing for a hello that makes no sense."""
    try:
        said = json.loads(text)["read"]
        return {
            (int(step), int(attempt)): int(seq)
            for place, seq in said.items()
            for step, _, attempt in [place.partition("-")]
        }
    except (ValueError, KeyError, TypeError, AttributeError):
        return {}
