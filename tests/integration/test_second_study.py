"""A feed gets a second study, and people change it, through the HTTP API alone."""

from __future__ import annotations

import json
from typing import Any
from urllib.error import HTTPError

import pytest
from uuid_utils import uuid7

from tests.phantoms import write_studies
from tests.stack import Session, Stack, running, wait_quiescent
from tests.tiers import TIERS, tier


def ask(session: Session, feed: str, kind: str, **body: Any) -> int:
    """Give the feed's version after a command that must be accepted."""
    return session.post("/api/commands", wish(feed, kind, **body))["version"]


def wish(feed: str, kind: str, **body: Any) -> dict[str, Any]:
    return {"id": str(uuid7()), "feed": feed, "type": kind, "body": body}


def refusal(session: Session, asked: dict[str, Any]) -> tuple[int, str]:
    with pytest.raises(HTTPError) as refused:
        session.post("/api/commands", asked)
    return refused.value.code, json.load(refused.value)["error"]


def measured(session: Session) -> list[dict[str, Any]]:
    cards = session.cards()
    return cards if len(cards) == 2 and all(card["measured"] == 1 for card in cards) else []


@pytest.mark.slow
@pytest.mark.parametrize("name", TIERS)
def test_a_feed_gets_a_second_study_and_what_people_do_to_it(name, tmp_path):
    write_studies(tmp_path / "studies", seed=7, images=24, series=2)
    with tier(name, tmp_path) as engines:
        stack = Stack(tmp_path / "chips", {**engines.environment, "CHIPS_ISOLATION": "subprocess"})
        with running(stack):
            stack.add_user("bo", "Bo Lind")
            stack.chips("send", str(tmp_path / "studies"), f"127.0.0.1:{stack.dicom_port}")
            ana, bo = stack.session(), stack.session("bo")
            one, other = stack.until(lambda: measured(ana), 90, "two measured cards")
            feed = one["feed"]
            (study,) = {series["study"] for series in detail(ana, other["feed"])["series"]}

            ask(ana, feed, "add_input", study=study)

            def has_both() -> Any:
                shown = detail(ana, feed)
                runs = [series["run"] and series["run"]["state"] for series in shown["series"]]
                return shown if runs == ["succeeded"] * 2 else None

            shown = stack.until(has_both, 30, "both studies on the card, with their runs")
            assert shown["card"]["studies"] == shown["card"]["measured"] == 2
            assert shown["card"]["anonymized"] == 24
            assert {series["series"] for series in shown["series"]} == {*one["series"], *other["series"]}
            assert all(series["run"]["measures"] for series in shown["series"])
            assert study in {added["study"] for added in shown["inputs"]}
            wait_quiescent(stack, 60)
            rows = ana.get(f"/api/feeds/{feed}/timeline?limit=100")["rows"]
            assert [row["seq"] for row in rows] == list(range(len(rows), 0, -1))
            (added,) = [row for row in rows if row["kind"] == "input" and not row["system"]]
            after = {row["kind"] for row in rows if row["seq"] > added["seq"]}
            assert after >= {"series", "run"}
            assert {row.get("series") for row in rows} >= {*one["series"], *other["series"]}
            assert detail(ana, other["feed"])["card"]["studies"] == 1

            people_change_it(ana, bo, feed)
            people_make_one(ana, study, stack)
            for view in ("card", "feed", "timeline"):
                assert "no difference" in stack.chips("replay", "diff", view).stdout.lower()


def detail(session: Session, feed: str) -> dict[str, Any]:
    return session.get(f"/api/feeds/{feed}")["detail"]


def people_change_it(ana: Session, bo: Session, feed: str) -> None:
    before = detail(ana, feed)["card"]["version"]
    assert ask(ana, feed, "rename", title="Two phantoms") == before + 1
    assert ask(bo, feed, "tag", tag="follow-up") == before + 2
    assert ask(bo, feed, "tag", tag="follow-up") == before + 2
    assert ask(ana, feed, "tag", tag="odd") == before + 3
    assert ask(ana, feed, "untag", tag="odd") == before + 4
    comment = str(uuid7())
    posted = wish(feed, "post_comment", comment=comment, text="Left is larger")
    assert ana.post("/api/commands", posted)["version"] == before + 5
    # A retry of the same wish is answered, and changes nothing.
    assert ana.post("/api/commands", posted)["version"] == before + 5
    status, why = refusal(bo, wish(feed, "edit_comment", comment=comment, text="No, it is not"))
    assert status == 409
    assert "author" in why
    assert ask(ana, feed, "edit_comment", comment=comment, text="Right is larger") == before + 6
    status, why = refusal(ana, wish(feed, "rename", title=""))
    assert status == 422
    assert "title" in why
    shown = detail(bo, feed)
    assert (shown["card"]["title"], shown["card"]["tags"]) == ("Two phantoms", ["follow-up"])
    (said,) = shown["comments"]
    assert said["text"] == "Right is larger"
    assert said["edited"]
    kinds = [row["kind"] for row in bo.get(f"/api/feeds/{feed}/timeline?limit=6")["rows"]]
    assert kinds == ["edit", "comment", "untagged", "tagged", "tagged", "renamed"]


def people_make_one(ana: Session, study: str, stack: Stack) -> None:
    made = str(uuid7())
    assert ask(ana, made, "create", title="A feed of our own") == 1
    assert detail(ana, made)["card"]["state"] == "empty"
    ask(ana, made, "add_input", study=study)
    stack.until(lambda: detail(ana, made)["card"]["measured"] == 1, 30, "the study on the feed that was made")
    wait_quiescent(stack, 60)
