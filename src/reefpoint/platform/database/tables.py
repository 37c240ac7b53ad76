"""The tables of a desk: made on an empty database, brought up to date on any other."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.recorder import MigrationRecorder
from django.db.migrations.state import ModelState, ProjectState


def missing_migrations() -> int:
    """How many migrations the database lacks."""
    executor = MigrationExecutor(connection)
    return len(executor.migration_plan(executor.loader.graph.leaf_nodes()))


def update_tables() -> int:
    """Make the tables, or bring them up to date; a second call does nothing. Returns how many migrations it applied."""
    missing = missing_migrations()
    is_empty = not MigrationRecorder(connection).applied_migrations()
    with rendered_once() if is_empty else nullcontext():
        call_command("migrate", interactive=False, verbosity=0)
    return missing


@contextmanager
def rendered_once() -> Iterator[None]:
    """Within this, a migration that adds or changes a model renders that model alone, and not all related to it.

    Django renders every related model anew, so that code in a migration sees the reverse side of each relation: for our
    tables that is three quarters of all the work. On an empty database no migration has rows to look at. The tables are
    the same, which a test holds.
    """
    plain_add, plain_find = ProjectState.add_model, ProjectState._find_reload_model  # type: ignore[attr-defined]

    def add_alone(self: ProjectState, model_state: ModelState) -> None:
        key = model_state.app_label, model_state.name_lower
        if "apps" not in self.__dict__ or key in self.models:
            plain_add(self, model_state)
            return
        self.models[key] = model_state
        if self._relations is not None:  # type: ignore[attr-defined]  # the stubs do not know it
            self.resolve_model_relations(key)
        self.apps.render_multiple([model_state])

    def find_alone(_: ProjectState, app_label: str, model_name: str, delay: bool = False) -> set[tuple[str, str]]:
        return {(app_label, model_name)}

    ProjectState.add_model = add_alone  # type: ignore[method-assign]
    ProjectState._find_reload_model = find_alone  # type: ignore[attr-defined]
    try:
        yield
    finally:
        ProjectState.add_model = plain_add  # type: ignore[method-assign]
        ProjectState._find_reload_model = plain_find  # type: ignore[attr-defined]
