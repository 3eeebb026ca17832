"""Telegram: receiving that acknowledges after the commit, sending through aiogram, and a local Telegram for demo and tests."""
