"""A local Telegram: a Bot API server in memory and a chat page for pretend users, for the demo and for tests."""

from channels.telegram.sandbox.server import Sandbox

__all__ = ["Sandbox"]
