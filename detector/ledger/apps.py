from django.apps import AppConfig


class LedgerConfig(AppConfig):
    name = "detector.ledger"
    label = "ledger"
