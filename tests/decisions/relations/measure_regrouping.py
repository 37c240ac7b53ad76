"""How long 100,000 clients take to be grouped: `pytest tests/decisions/relations/measure_regrouping.py -s`, by hand.

One client in five shares an address with somebody of a household of two to five, households share phones or devices
now and then, agents register dozens with one phone, and everybody has a phone and an e-mail address of their own.
"""

import random
import sys
import time

import pytest
from django.db import connection
from tests.decisions.relations.kin import AT, digest_of, later
from tests.desk import SYSTEM

from reefpoint.decisions.relations.selectors import verify_relations
from reefpoint.decisions.relations.services import regroup_all, regroup_client
from reefpoint.platform.database.bulk import insert_columns
from reefpoint.records.parties.services import register_clients
from reefpoint.records.parties.types import ClientDraft

CLIENTS = 100_000


@pytest.mark.django_db
@pytest.mark.slow
def test_a_hundred_thousand_clients_are_grouped_in_seconds() -> None:
    chance = random.Random(4)
    ids = register_clients(
        actor=SYSTEM, drafts=[ClientDraft(f"C{n}", f"c{n}@many.test") for n in range(CLIENTS)], on=AT.date(), at=AT
    )
    traits = {(one, kind, f"{kind}{one}") for one in ids for kind in ("phone", "email")}
    position = 0
    while position < CLIENTS:
        household = ids[position : position + chance.choice([1, 1, 1, 1, 2, 3, 4, 5])]
        position += len(household)
        traits.update((one, "address", f"home{household[0]}") for one in household)
        if len(household) > 1 and chance.random() < 0.3:
            traits.update((one, "device", f"tablet{household[0]}") for one in household)
        if len(household) > 1 and chance.random() < 0.5:
            traits.update((one, "ip_day", f"line{household[0]}-{day}") for one in household for day in range(6))
    for agent in range(50):
        traits.update((one, "phone", f"agent{agent}") for one in chance.sample(ids, 40))
    traits.update((one, "address", f"tower{one % 20}") for one in chance.sample(ids, 5_000))
    rows = [(one, kind, f"\\x{digest_of(thing).hex()}", AT) for one, kind, thing in traits]
    columns = {"client_id": "bigint", "kind": "text", "digest": "bytea", "since": "timestamptz"}
    insert_columns("parties_trait", columns | {"masked": "text"}, [(*row, "") for row in rows])

    def timed(what: str, run: object) -> None:
        start = time.perf_counter()
        done = run()  # type: ignore[operator]
        sys.stdout.write(f"\n{what}: {time.perf_counter() - start:.2f} s  {done}")

    with connection.cursor() as cursor:
        cursor.execute("ANALYZE parties_trait")
    sys.stdout.write(f"\n{len(traits)} traits")
    timed("everything to write", lambda: regroup_all(actor=SYSTEM, at=AT))
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE relations_heldvalue, relations_membership")
    timed("nothing to write", lambda: regroup_all(actor=SYSTEM, at=later(1)))
    insert_columns(
        "parties_trait", columns | {"masked": "text"}, [(ids[7], "phone", f"\\x{digest_of('agent3').hex()}", AT, "")]
    )
    timed("one client", lambda: regroup_client(actor=SYSTEM, client_id=ids[7], at=later(2)))
    timed("one client again", lambda: regroup_client(actor=SYSTEM, client_id=ids[8], at=later(3)))
    timed("proof", lambda: len(verify_relations()))
