"""The Temporal client: one per event loop, connected when first used (architecture.md §3.3)."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import timedelta
from weakref import WeakKeyDictionary

from django.conf import settings
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.envconfig import ClientConfig
from temporalio.service import RPCError, RPCStatusCode

from workflows_app.domain.errors import TemporalUnavailable
from workflows_app.services.temporal.budgets import BudgetSpent, within_budget

RPC_TIMEOUT = timedelta(seconds=3)
CONNECT_SECONDS = 5.0
"""How long a connection may take; left alone, the SDK tries for two minutes where a server hangs [lab]."""

_clients: "WeakKeyDictionary[asyncio.AbstractEventLoop, dict[tuple[str, str], Client]]" = WeakKeyDictionary()


async def connect() -> Client:
    """Answer a new client that is connected.

    Address, namespace, TLS and API key come from the variables that the ``temporal`` command line
    reads too (Temporal docs, environment configuration). Raises TemporalUnavailable.
    """
    config = ClientConfig.load_client_connect_config()
    config["target_host"] = settings.TEMPORAL_ADDRESS
    config["namespace"] = settings.TEMPORAL_NAMESPACE
    with _translated():
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                return await Client.connect(**config, data_converter=pydantic_data_converter)
        except TimeoutError as error:
            raise _unavailable("a connection takes too long") from error


async def get_client() -> Client:
    """Answer this event loop's client, connected when it is first used. Raises TemporalUnavailable."""
    clients = _clients.setdefault(asyncio.get_running_loop(), {})
    place = (settings.TEMPORAL_ADDRESS, settings.TEMPORAL_NAMESPACE)
    if place not in clients:
        clients[place] = await connect()
    return clients[place]


@asynccontextmanager
async def temporal() -> AsyncIterator[Client]:
    """The client, for a few calls.

    Raises TemporalUnavailable when Temporal does not answer, refuses them, or takes longer than the page that
    asks may wait (``services.temporal.budgets``); an RPCError only for what is missing or there already.
    """
    with _translated():
        async with within_budget():
            yield await get_client()


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except RPCError as error:
        # What is missing, or there already, is an answer; everything else is none.
        if error.status in (RPCStatusCode.NOT_FOUND, RPCStatusCode.ALREADY_EXISTS):
            raise
        raise _unavailable(error.message or error.status.name.lower()) from error
    except BudgetSpent as error:
        raise _unavailable("it takes too long") from error
    except RuntimeError as error:
        # A failed connection is a RuntimeError, not an RPCError [lab].
        if "Failed client connect" in str(error):
            raise _unavailable("the connection failed") from error
        raise


def _unavailable(reason: str) -> TemporalUnavailable:
    return TemporalUnavailable(f"Temporal at {settings.TEMPORAL_ADDRESS} does not answer ({reason}).")
