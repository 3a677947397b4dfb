"""Who was turned away for lack of room a moment before the end comes again with a ticket. Moves the round clock to the
end of the day: these are the last of the tests on the stack.
"""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

import httpx
import pytest

from deploy.rehearsal.collecting import school_path
from deploy.rehearsal.person import problem_of
from deploy.rehearsal.scenario import wait_for
from services.kit.clock import Clock
from services.kit.keys import Keys
from services.kit.tickets import OLDEST_SECONDS, TICKET_HEADER, make
from tests.stack.conftest import Scene

pytestmark = [pytest.mark.stack, pytest.mark.timeout(900)]
LAST_MOMENT = datetime.fromisoformat("2021-11-10T16:29:55+07:00")
END = datetime.fromisoformat("2021-11-10T16:30:00+07:00")


class Clerk:
    """A school's clerk who tries to confirm, once each time."""

    def __init__(self, scene: Scene, code: str) -> None:
        self._scene, self._path = scene, school_path(code, "/confirmation")
        self.username = f"clerk-{code}"
        self._person, self._version = scene.people.clerks[code], scene.ready(code)["sha256"]

    def confirm(self, ticket: str = "") -> httpx.Response:
        headers = {**self._person.bearer(), "If-Match": f'"{self._version}"'}
        if ticket:
            headers[TICKET_HEADER] = ticket
        answer = self._scene.stage.client.post(self._path, headers=headers)
        self._scene.note(answer)
        return answer

    def stale_ticket(self, key: bytes) -> str:
        stamp = int((time.time() - OLDEST_SECONDS - 60) * 1000)
        return make(key, stamp, "POST", self._path, self.username)


def test_only_the_own_fresh_ticket_lets_in_after_the_end(scene: Scene) -> None:
    first, second, third, fourth = (Clerk(scene, code) for code in scene.take(4))
    clock = Clock(scene.stack.clock)
    with scene.stopped("intake-api"):
        scene.stage.set_clock(LAST_MOMENT)
        with ThreadPoolExecutor(2) as pool:
            refused = list(pool.map(Clerk.confirm, (first, second)))
        wait_for(lambda: clock.now() > END, "16:30")
    assert [answer.status_code for answer in refused] == [503, 503]
    assert all(int(answer.headers["Retry-After"]) > 0 for answer in refused)
    own, others = (answer.headers[TICKET_HEADER] for answer in refused)
    code = first.username.removeprefix("clerk-")
    wait_for(lambda: scene.people.clerks[code].send("GET", school_path(code)).is_success, "intake back")

    assert first.confirm(own).status_code == 200
    key = Keys(scene.stack.secrets).ticket
    late = {
        "without one": third.confirm(),
        "with another school's": third.confirm(others),
        "with a stale one": fourth.confirm(fourth.stale_ticket(key)),
    }
    assert {why: (a.status_code, problem_of(a)) for why, a in late.items()} == dict.fromkeys(
        late, (409, "outside-window")
    )
    assert second.confirm(others).status_code == 200
    # a stamp is real time; the round clock stays where the day ended, or it would mean another moment
    scene.wait_whole()
