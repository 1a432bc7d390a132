from tests.krita_plugin.runs.conftest import common_core, krita, own_core, places, qapp

__all__ = ["common_core", "krita", "own_core", "places", "qapp"]
