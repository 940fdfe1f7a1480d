"""Settings, notices: the channels, what is wrong now, what was sent; a channel is made, changed, tested."""

from collections.abc import Mapping
from datetime import timedelta

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from workflows_app.domain.errors import ConfigInvalid, NotFound
from workflows_app.domain.notices.channels import ChannelKind
from workflows_app.services.configurations import catalog
from workflows_app.services.notices import channels, delivery_lists, incidents
from workflows_app.services.notices.channels import ChannelSummary
from workflows_app.services.people.permissions import Actor, Right, actor_of
from workflows_app.web.pages.channel_forms import (
    KIND_WORDS,
    ChannelForm,
    draft_of_post,
    form_of_channel,
    form_of_post,
    new_form,
)
from workflows_app.web.pages.notification_views import channel_rows, delivery_row
from workflows_app.web.pages.schedule_views import zone_names
from workflows_app.web.views.errors import HtmxHttpRequest, answers_errors

# A worker that is there looks every few seconds.
BLIND_AFTER = timedelta(minutes=1)
PAGE = "workflows_app/notifications.html"
EDITOR = "workflows_app/channel_edit.html"


@require_safe
@answers_errors
def notification_list(request: HtmxHttpRequest) -> HttpResponse:
    """Show the channels, what is wrong now, and what was sent."""
    actor = actor_of(request.user)
    looked = incidents.last_look(actor)
    context = {
        "looked": looked,
        "blind": looked is None or timezone.now() - looked > BLIND_AFTER,
        "channels": channel_rows(actor, channels.list_channels(actor)),
        "incidents": incidents.list_open(actor),
        "deliveries": [delivery_row(one) for one in delivery_lists.list_deliveries(actor)],
        "kinds": [(kind.value, *words) for kind, words in KIND_WORDS.items()],
    }
    return render(request, f"{PAGE}#deliveries" if request.htmx else PAGE, context)


@require_http_methods(["GET", "POST"])
@answers_errors
def new_channel(request: HtmxHttpRequest, kind: str) -> HttpResponse:
    """Show the form of a channel of that kind, and make it."""
    actor = actor_of(request.user)
    actor.require(Right.CONFIGURE)
    if kind not in list(ChannelKind):
        raise NotFound(f"There is no kind of channel {kind!r}.")
    form = new_form(ChannelKind(kind))
    if request.method == "POST":
        form = form_of_post(form.kind, request.POST)
        try:
            return redirect("channel", channels.add_channel(actor, draft_of_post(form.kind, request.POST)))
        except ConfigInvalid as error:
            form = form.refused(error)
    return _editor(request, actor, form, None)


@require_http_methods(["GET", "POST"])
@answers_errors
def edit_channel(request: HtmxHttpRequest, number: int) -> HttpResponse:
    """Show a channel, and change or delete it. To htmx: how its last test went."""
    actor = actor_of(request.user)
    actor.require(Right.CONFIGURE)
    channel = channels.get_channel(actor, number)
    if request.htmx:
        return render(request, f"{EDITOR}#tested", _tested(actor, channel))
    form = form_of_channel(channel)
    if request.method == "POST":
        if request.POST.get("do") != "delete":
            form = form_of_post(channel.kind, request.POST)
        try:
            return _changed(request, actor, channel)
        except ConfigInvalid as error:
            form = form.refused(error)
    return _editor(request, actor, form, channel)


@require_POST
@answers_errors
def test_channel(request: HtmxHttpRequest, number: int) -> HttpResponse:
    """Have a test sent; the channel's page then tells how that goes."""
    actor = actor_of(request.user)
    channels.test_channel(actor, number)
    if request.htmx:
        return render(request, f"{EDITOR}#tested", _tested(actor, channels.get_channel(actor, number)))
    return redirect("channel", number)


def _changed(request: HtmxHttpRequest, actor: Actor, channel: ChannelSummary) -> HttpResponse:
    do = request.POST.get("do", "save")
    if do == "delete":
        channels.delete_channel(actor, channel.number, request.POST.get("confirmation", ""))
        return redirect("notifications")
    if do != "save":
        raise NotFound("A channel can be saved, tested or deleted.")
    channels.change_channel(actor, channel.number, draft_of_post(channel.kind, request.POST))
    return redirect("channel", channel.number)


def _tested(actor: Actor, channel: ChannelSummary) -> dict[str, object]:
    last = delivery_lists.latest_deliveries(actor, [channel.number], "test").get(channel.number)
    return {"channel": channel, "test": delivery_row(last) if last else None}


def _editor(
    request: HtmxHttpRequest, actor: Actor, form: ChannelForm, channel: ChannelSummary | None
) -> HttpResponse:
    context: Mapping[str, object] = {
        "form": form,
        "channel": channel,
        "profiles": catalog.list_profiles(actor),
        "configs": catalog.list_configs(actor),
        "zones": zone_names(),
        "kind_help": KIND_WORDS[form.kind][1],
        **(_tested(actor, channel) if channel else {}),
    }
    return render(request, EDITOR, context, status=422 if form.errors else 200)
