"""The base of everything that travels as Fossul's JSON."""

from typing import Any, ClassVar, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    ModelWrapValidatorHandler,
    SerializerFunctionWrapHandler,
    model_serializer,
    model_validator,
)
from pydantic.alias_generators import to_camel


class WireModel(BaseModel):
    """A frozen value in Fossul's wire format (fossul-behaviour.md §1).

    Keys are camelCase on the wire. A key named in ``omit_empty`` is left out when its value is Go's
    zero value, as Go's ``omitempty`` does; a ``null`` in the input leaves the field at its default,
    as Go's decoder does. Unknown keys are ignored.
    """

    model_config = ConfigDict(
        frozen=True, alias_generator=to_camel, validate_by_name=True, validate_by_alias=True
    )

    omit_empty: ClassVar[frozenset[str]] = frozenset()

    @model_validator(mode="wrap")
    @classmethod
    def _null_is_absent(cls, value: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        if isinstance(value, dict) and None in value.values():
            value = {key: item for key, item in value.items() if item is not None}
        return handler(value)

    @model_serializer(mode="wrap")
    def _drop_zero_values(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        data: dict[str, Any] = handler(self)
        return {
            key: item
            for key, item in data.items()
            if key not in self.omit_empty or item not in ("", 0, False, [], {}, None)
        }

    def wire(self) -> dict[str, Any]:
        """Answer this value as the plain JSON object that Fossul would send."""
        return self.model_dump(mode="json", by_alias=True)
