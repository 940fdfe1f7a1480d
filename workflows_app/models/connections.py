"""Connections of threads that outlive a request."""

from django.db import connections


def drop_broken_connections() -> None:
    """Close this thread's connections that failed and are of no use any more; the next query opens new ones.

    To be called before queries where no request begins and ends, in place of Django's
    ``close_old_connections``, which would also close a healthy connection at each call, and one in the
    middle of a transaction.
    """
    for connection in connections.all(initialized_only=True):
        if connection.errors_occurred and not connection.in_atomic_block and not connection.is_usable():
            connection.close()
