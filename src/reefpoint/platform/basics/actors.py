"""Who acts: a person who signed in, or a named part of the system."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Actor:
    """The doer of a service call, as it is written to the audit log.

    `ref` is stable and unique (`user:17`, `system:watch`). `permissions` are the rights held at this moment.
    `sees_all_clients` is false for people who may see only the clients assigned to them.
    """

    ref: str
    name: str
    permissions: frozenset[str] = field(default_factory=frozenset)
    user_id: int | None = None
    sees_all_clients: bool = True

    @property
    def is_system(self) -> bool:
        return self.ref.startswith("system:")


def system_actor(part: str) -> Actor:
    """The actor for a part of the system (`watch`, `worker`, `day-run`), which holds every right."""
    return Actor(ref=f"system:{part}", name=part, permissions=frozenset({"*"}))
