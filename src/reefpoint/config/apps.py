"""Joins the wiring tables to the outbox, the vault, imports and runs when the program starts."""

from django.apps import AppConfig


class ConfigConfig(AppConfig):
    name = "reefpoint.config"
    label = "config"

    def ready(self) -> None:
        from reefpoint.config import wiring  # noqa: PLC0415 - handlers import models, which need loaded apps
        from reefpoint.platform.events.services import connect  # noqa: PLC0415
        from reefpoint.platform.governance.selectors import connect_sources  # noqa: PLC0415
        from reefpoint.platform.governance.services import connect as connect_models  # noqa: PLC0415
        from reefpoint.platform.imports.services import connect as connect_imports  # noqa: PLC0415
        from reefpoint.platform.runs.services import connect as connect_runs  # noqa: PLC0415
        from reefpoint.platform.vault.services import connect as connect_sealed  # noqa: PLC0415

        connect(wiring.HANDLERS)
        connect_imports(wiring.IMPORT_KINDS)
        connect_runs(wiring.RUN_KINDS)
        connect_models(wiring.MODELS, wiring.MODEL_KINDS)
        connect_sources(wiring.DATA_SOURCES)
        connect_sealed(wiring.SEALED_TABLES)
