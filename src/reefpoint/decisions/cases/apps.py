from django.apps import AppConfig


class CasesConfig(AppConfig):
    name = "reefpoint.decisions.cases"
    label = "cases"
