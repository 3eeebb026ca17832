"""The interface stands on the same desk and site as the form's tests."""

from tests.integration.channels.webform.conftest import desk, idle_site, limits, site, store, worker

__all__ = ["desk", "idle_site", "limits", "site", "store", "worker"]
