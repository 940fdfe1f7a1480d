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

RPC_TIMEOUT = timedelta(seconds=3)

_clients: "WeakKeyDictionary[asyncio.AbstractEventLoop, dict[tuple[str, str], Client]]" = WeakKeyDictionary()


async def connect(*, lazy: bool = False) -> Client:
    """Answer a new client.

    Address, namespace, TLS and API key come from the variables that the ``temporal`` command line
    reads too (Temporal docs, environment configuration). Raises TemporalUnavailable; a lazy client
    only when it is used inside ``temporal()``.
    """
    config = ClientConfig.load_client_connect_config()
    config["target_host"] = settings.TEMPORAL_ADDRESS
    config["namespace"] = settings.TEMPORAL_NAMESPACE
    with _translated():
        return await Client.connect(**config, data_converter=pydantic_data_converter, lazy=lazy)


async def get_client() -> Client:
    """Answer this event loop's client. It connects lazily: the first call shows whether Temporal is there."""
    clients = _clients.setdefault(asyncio.get_running_loop(), {})
    place = (settings.TEMPORAL_ADDRESS, settings.TEMPORAL_NAMESPACE)
    if place not in clients:
        clients[place] = await connect(lazy=True)
    return clients[place]


@asynccontextmanager
async def temporal() -> AsyncIterator[Client]:
    """The client, for a few calls.

    Raises TemporalUnavailable when Temporal does not answer or refuses them; an RPCError only for what
    is missing or there already.
    """
    with _translated():
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
    except RuntimeError as error:
        # A lazy client's failed first connection is a RuntimeError, not an RPCError [lab].
        if "Failed client connect" in str(error):
            raise _unavailable("the connection failed") from error
        raise


def _unavailable(reason: str) -> TemporalUnavailable:
    return TemporalUnavailable(f"Temporal at {settings.TEMPORAL_ADDRESS} does not answer ({reason}).")
