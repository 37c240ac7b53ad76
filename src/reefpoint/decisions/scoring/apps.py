from django.apps import AppConfig


class ScoringConfig(AppConfig):
    name = "reefpoint.decisions.scoring"
    label = "scoring"
