"""What Temporal's messages carry, as values of ours."""

from datetime import UTC, datetime
from typing import TypeVar

from google.protobuf.message import Message as Proto
from google.protobuf.timestamp_pb2 import Timestamp
from temporalio.api.common.v1 import Payload, Payloads
from temporalio.api.failure.v1 import Failure
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.exceptions import TimeoutType

from workflows_app.workflows.reasons import TIMEOUT_WORDS

T = TypeVar("T")

_converter = pydantic_data_converter.payload_converter


def decode(payloads: Payloads, kind: type[T]) -> T | None:
    """Answer the first payload as ``kind``; None when there is none, or one that somebody else wrote."""
    return decode_one(payloads.payloads[0], kind) if payloads.payloads else None


def decode_one(payload: Payload, kind: type[T]) -> T | None:
    """Answer a payload as ``kind``; None for one that somebody else wrote."""
    try:
        value: T = _converter.from_payloads([payload], [kind])[0]
    except (ValueError, RuntimeError):
        return None
    return value


def reason_of(failure: Failure) -> str:
    """The innermost words of a failure, a heartbeat timeout in words for people."""
    while failure.HasField("cause"):
        failure = failure.cause
    if failure.HasField("timeout_failure_info"):
        return TIMEOUT_WORDS.get(TimeoutType(failure.timeout_failure_info.timeout_type), failure.message)
    return failure.message


def moment(stamp: Timestamp) -> datetime:
    """Answer a protobuf timestamp as an aware datetime."""
    return stamp.ToDatetime(tzinfo=UTC)


def moment_or_none(proto: Proto, field: str) -> datetime | None:
    """Answer the timestamp in a field of ``proto``, None where it is not set."""
    return moment(getattr(proto, field)) if proto.HasField(field) else None
