"""Commands of people: validated here, decided by the one handler of the feed's stream."""

from __future__ import annotations

from typing import Literal

import msgspec
import structlog
from aiohttp import web

from schemas import command
from schemas.catalogue import COMMAND
from schemas.command import CommandRejected
from schemas.envelope import encode
from schemas.identity import Uuid, feed_stream
from schemas.make import first
from streams.bus import Message
from ui.backend import BACKEND, Backend
from ui.errors import Refused
from ui.live.hub import Reply
from ui.middleware import SESSION
from ui.requests import body
from ui.responses import reply

log = structlog.get_logger()

REPLY_TIMEOUT_S = 10.0

Name = Literal["create", "rename", "tag", "untag", "add_input", "post_comment", "edit_comment"]

SHAPES: dict[Name, type[msgspec.Struct]] = {
    "create": command.CreateFeed,
    "rename": command.RenameFeed,
    "tag": command.TagFeed,
    "untag": command.UntagFeed,
    "add_input": command.AddInput,
    "post_comment": command.PostComment,
    "edit_comment": command.EditComment,
}


class Wish(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A command as a page sends it. `id` is a uuid7 of the page's making, so that a retry is harmless."""

    id: Uuid
    feed: Uuid
    type: Name
    body: msgspec.Raw


async def post(request: web.Request) -> web.Response:
    """``POST /api/commands``: 200 when accepted, 409 when refused, 202 when not decided within 10 s."""
    backend = request.app[BACKEND]
    wish = await body(request, Wish)
    author = request[SESSION].account
    event = first(
        await backend.texts.sealed(_data(wish, backend), wish.feed, author),
        event_id=wish.id,
        source="/chips/ui",
        subject=feed_stream(backend.settings.project, wish.feed),
        time=backend.clock(),
        authtype="app_user",
        authid=author,
    )
    await backend.producer.send(Message(COMMAND.name, event.partitionkey, encode(event)))
    answer = await backend.hub.reply(wish.id, REPLY_TIMEOUT_S)
    # The same id goes through all processes; what was written stays out of the log.
    log.info("command.answered", correlationid=event.correlationid, type=event.type, outcome=_outcome(answer))
    if answer is None:
        return reply({}, status=202)
    if isinstance(answer, CommandRejected):
        raise Refused(409, answer.reason)
    return reply({"version": answer.version})


def _outcome(answer: Reply | None) -> str:
    if answer is None:
        return "undecided"
    return "rejected" if isinstance(answer, CommandRejected) else "accepted"


def _data(wish: Wish, backend: Backend) -> msgspec.Struct:
    try:
        fields = msgspec.json.decode(wish.body, type=dict[str, msgspec.Raw])
        if wish.type == "create":
            fields |= {
                "project": msgspec.Raw(msgspec.json.encode(backend.settings.project)),
                "feed": msgspec.Raw(msgspec.json.encode(wish.feed)),
            }
        return msgspec.json.decode(msgspec.json.encode(fields), type=SHAPES[wish.type])
    except msgspec.DecodeError as error:
        raise Refused(422, f"{wish.type} does not fit: {error}") from error
