"""The portal on the bench, with the stand-in for the services behind it and people enrolled."""

from __future__ import annotations

from dataclasses import dataclass

from tests.support.bench import Bench
from tests.support.fake_api import ESA, SCHOOL, FakeServices
from tests.support.visitor import Visitor, enrol

GRANTS = {
    "somchai": (("clerk", SCHOOL),),
    "malee": (("director", SCHOOL),),
    "prayut.area": (("area", ESA),),
    "obec": (("hq", "*"),),
    "both": (("clerk", SCHOOL), ("area", ESA)),
    "watch": (("ops", "*"),),
}


@dataclass(frozen=True, slots=True)
class PortalDesk:
    """`somchai` is the clerk, `malee` the director, `prayut.area` the area officer, `obec` headquarters."""

    bench: Bench
    services: FakeServices

    def visitor(self) -> Visitor:
        """A browser nobody is signed in with."""
        return Visitor(self.bench.app.test_client())

    def person(self, username: str) -> Visitor:
        """A browser with that person signed in."""
        browser = self.visitor()
        assert browser.sign_in(username, follow=False).status_code == 303
        return browser

    def enrol(self, *usernames: str) -> None:
        for username in usernames:
            enrol(self.bench.database, username, *GRANTS[username])
