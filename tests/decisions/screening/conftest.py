"""A desk with compliance officers, and lists of nobody."""

from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.desk import MONDAY, SYSTEM, Desk, noon

from reefpoint.decisions.screening.services import load_list
from reefpoint.decisions.screening.services.lists import Content
from reefpoint.decisions.screening.types import ListShape
from reefpoint.platform.access.models import User
from reefpoint.platform.access.services import actor_for, create_user
from reefpoint.platform.access.types import RoleName
from reefpoint.platform.basics.actors import Actor
from reefpoint.records.parties.services import register_clients
from reefpoint.records.parties.types import ClientDraft

LISTS = Path(__file__).with_name("lists")
AT = noon(MONDAY)
HEADER = "id,schema,name,aliases,birth_date,countries\n"


def rows(*entries: str) -> bytes:
    """A list in the OpenSanctions form: each entry is `id,name,aliases,birth,countries`."""
    lines = [f"{reference},Person,{rest}" for reference, _, rest in (entry.partition(",") for entry in entries)]
    return (HEADER + "\n".join(lines) + "\n").encode()


@dataclass(frozen=True)
class Office:
    """Two compliance officers and an auditor, on a desk."""

    desk: Desk
    maker: Actor
    checker: Actor
    auditor: Actor

    def load(self, content: Content, source: str = "made.up") -> int:
        """Put a list of the OpenSanctions form in force."""
        return load_list(
            actor=self.maker,
            source=source,
            content=content,
            shape=ListShape.OPENSANCTIONS_CSV,
            file_name="l.csv",
            at=AT,
        )

    def client(self, name: str, name_zh: str = "") -> int:
        """A registered client."""
        email = f"{self.desk.key('client')}@clients.test"
        [client_id] = register_clients(actor=SYSTEM, drafts=[ClientDraft(name, email, name_zh)], on=MONDAY, at=AT)
        return client_id


def person(name: str, role: RoleName) -> Actor:
    user_id = create_user(actor=SYSTEM, email=f"{name}@desk.test", name=name, password=None, roles=[role], at=AT)
    return actor_for(User.objects.get(id=user_id))


@pytest.fixture
def office(desk: Desk) -> Office:
    return Office(
        desk,
        maker=person("maker", RoleName.COMPLIANCE),
        checker=person("checker", RoleName.COMPLIANCE),
        auditor=person("auditor2", RoleName.AUDITOR),
    )
