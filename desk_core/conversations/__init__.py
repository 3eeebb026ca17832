"""Conversations, messages and attachments, and the ports that channels implement."""
