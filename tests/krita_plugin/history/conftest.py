from tests.krita_plugin.runs.conftest import common_core, krita, places, qapp

__all__ = ["common_core", "krita", "places", "qapp"]
