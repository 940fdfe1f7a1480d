"""Who is told: the channels that are at work, and of which configurations each hears."""

from collections.abc import Iterable
from dataclasses import dataclass

from workflows_app.models import Channel


@dataclass(frozen=True, slots=True)
class Audience:
    """A channel, and of what it hears: with ``everything`` of all configurations, else of those it names."""

    channel: Channel
    profiles: frozenset[str]
    configs: frozenset[tuple[str, str]]

    def hears_of(self, profile: str, config: str) -> bool:
        """Whether it is told of that configuration."""
        return self.channel.everything or profile in self.profiles or (profile, config) in self.configs

    def listens(self, event: str, profile: str, config: str) -> bool:
        """Whether it is told of that event of that configuration."""
        return event in self.channel.events and self.hears_of(profile, config)


def read_audiences() -> tuple[Audience, ...]:
    """Answer the channels that are at work."""
    rows = Channel.objects.filter(enabled=True).prefetch_related("profiles", "configs__profile")
    return tuple(
        Audience(
            row,
            frozenset(profile.name for profile in row.profiles.all()),
            frozenset((config.profile.name, config.name) for config in row.configs.all()),
        )
        for row in rows
    )


def listeners(audiences: Iterable[Audience], event: str, profile: str, config: str) -> tuple[Channel, ...]:
    """Answer the channels that are told of that event of that configuration."""
    return tuple(one.channel for one in audiences if one.listens(event, profile, config))
