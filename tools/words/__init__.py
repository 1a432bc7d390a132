"""The words of the plugin: taken out of its code, checked against the translations, compiled for gettext."""
