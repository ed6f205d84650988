"""Somebody is told by a human being: staff ring them with the command, and the referrer tells them and reports."""

import json
import subprocess
from pathlib import Path
from typing import Any

from deploy.embedded.mail import kept
from tests.deployment import Deployment
from tests.journeys.partners import a_body, outbox, post, somebody
from tests.notifications.reports import POSTFIX
from tests.support import eventually

AT_ANY_HOUR = ["00:00", "23:59"]
"""But for the last minute of a day, which has to be waited for."""


async def refer(deployment: Deployment, *channels: str, **changes: Any) -> str:
    """The id of a referral of somebody who is to be reached so."""
    partner = deployment.partners["food-bank"]
    person = somebody(safe_contact={"channels": list(channels), "hours": AT_ANY_HOUR, "neutral": False}, **changes)
    body = {**a_body(partner, person_jwe=...), "person": person}
    answer = await post(partner, f"{deployment.url('referrals')}/v1/referrals", body)
    assert answer.status_code == 202, answer.text
    return str(answer.json()["referral_id"])


async def heard(deployment: Deployment, referral: str, kind: str) -> dict[str, Any]:
    """The first message of a kind about a referral in the outbox of who referred."""

    async def look() -> list[dict[str, Any]]:
        told = await outbox(deployment.partners["food-bank"])
        return [each for each in told if each["type"] == kind and each["referral_id"] == referral]

    return (await eventually(look, bool, within=120))[0]


async def test_a_mail_that_comes_back_is_piped_to_the_command_and_the_person_is_rung(
    deployment: Deployment, tmp_path: Path
) -> None:
    key, bounced_to = tmp_path / "key", "example-bounced@example.org"
    received = Path(deployment.addresses["mail"]["received"])
    key.write_text(deployment.staff_key)

    async def mails() -> list[dict[str, str]]:
        return [mail for mail in kept(received) if mail["to"] == bounced_to]

    async def tasks() -> list[str]:
        listed = deployment.furthest("calls", "list", "--limit", "200", "--json", "--key-file", str(key))
        return [task["channel"] for task in json.loads(listed.stdout)["tasks"] if task["referral_id"] == referral]

    async def bounces() -> subprocess.CompletedProcess[str]:
        return deployment.furthest("bounces", "--json", "--key-file", str(key), given=report)

    referral = await refer(deployment, "email", "phone", email=bounced_to, phone="+441134960998")
    (mail,) = await eventually(mails, bool, within=120)
    report = POSTFIX.format(to=mail["returns_to"], action="failed", status="5.1.1")
    done = await eventually(bounces, lambda done: done.returncode == 0, within=120)
    assert json.loads(done.stdout) == {"recorded": True}
    assert await eventually(tasks, bool, within=120) == ["phone"]
    report = "Subject: Out of office\n\nI am back on Monday."
    assert json.loads((await bounces()).stdout) == {"recorded": False}


async def test_staff_ring_somebody_with_the_command_and_tell_how_it_went(
    deployment: Deployment, tmp_path: Path
) -> None:
    key = tmp_path / "key"
    key.write_text(deployment.staff_key)

    def calls(*words: str) -> Any:
        done = deployment.furthest("calls", *words, "--json", "--key-file", str(key))
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    async def task_of(referral: str) -> list[dict[str, Any]]:
        return [task for task in calls("list", "--limit", "200")["tasks"] if task["referral_id"] == referral]

    referral = await refer(deployment, "phone", name="Example Rung", phone="+441134960999")
    (task,) = await eventually(lambda: task_of(referral), bool, within=120)
    assert (task["channel"], task["claimed_by"]) == ("phone", None)
    claimed = calls("claim", task["id"])
    assert (claimed["tell"]["address"], claimed["tell"]["name"]) == ("+441134960999", "Example Rung")
    assert "a device for going online" in claimed["tell"]["words"]
    assert calls("outcome", task["id"], "reached")["outcome"] == "reached"
    assert await task_of(referral) == []
    how_it_went = ("feedback", referral, task["need_id"], "closing", "--goal-met", "yes")
    assert calls(*how_it_went, "--online", "no") == {"status": "accepted"}
    wrong = deployment.furthest("calls", *how_it_went, "--online", "maybe", "--key-file", str(key))
    assert (wrong.returncode, "not-said" in wrong.stderr) == (1, True)
    again = deployment.furthest("calls", "outcome", task["id"], "declined", "--key-file", str(key))
    assert (again.returncode, "told once" in again.stderr) == (1, True)
    nobody = deployment.furthest("calls", "list", "--key-file", "/dev/null")
    assert (nobody.returncode, "key of staff" in nobody.stderr) == (1, True)


async def test_the_referrer_tells_somebody_and_hears_when_no_way_is_left(deployment: Deployment) -> None:
    referral = await refer(deployment, "via-referrer")
    asked = await heard(deployment, referral, "ContactRequested")
    assert "a device for going online" in asked["text"]
    url = f"{deployment.url('referrals')}/v1/contact-requests/{asked['task_id']}/report"
    reported = await post(deployment.partners["food-bank"], url, {"outcome": "could-not-reach"})
    assert reported.status_code == 202
    assert (await heard(deployment, referral, "ContactWithheld"))["reason"] == "no-channel-left"
