"""The proof that the groups on record are those that the clients' traits make."""

from collections import defaultdict

from reefpoint.decisions.relations import rules
from reefpoint.decisions.relations.models import Group
from reefpoint.decisions.relations.selectors.groups import load_groups, load_holders, load_members, load_values
from reefpoint.decisions.relations.types import Value
from reefpoint.platform.basics.findings import Finding
from reefpoint.records.parties.selectors.traits import list_traits


def verify_relations() -> list[Finding]:
    """The copy of the traits equals the traits, and the groups equal those computed from scratch.

    An event under way is a change that is not taken over yet: this holds at a quiet moment.
    """
    traits: dict[int, set[Value]] = defaultdict(set)
    for trait in list_traits():
        if trait.until is None and trait.kind in rules.WEIGHT_BP:
            traits[trait.client_id].add((str(trait.kind), bytes(trait.digest)))
    values = load_values(None)
    findings = [
        Finding("relations.values", f"client:{client_id}", "what is shared is not what the client has on record")
        for client_id in sorted(traits.keys() | values.keys())
        if traits.get(client_id, set()) != set(values.get(client_id, ()))
    ]
    computed = set(rules.find_groups(load_holders()))
    groups = dict(Group.objects.filter(ended_at=None).values_list("id", "size"))
    members = load_members(set(load_groups().values()))
    for group_id in sorted(groups.keys() | members.keys()):
        found = members.get(group_id, ())
        if found not in computed or len(found) != groups.get(group_id):
            findings.append(Finding("relations.groups", f"group:{group_id}", "it is not a group from scratch"))
    findings.extend(
        Finding(
            "relations.groups", f"client:{missing[0]}", f"{len(missing)} linked clients are in no group of their own"
        )
        for missing in sorted(computed - set(members.values()))
    )
    return findings
