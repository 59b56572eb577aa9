from django.apps import AppConfig


class TriageConfig(AppConfig):
    name = "detector.triage"
    label = "triage"
