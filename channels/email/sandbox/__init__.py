"""A mailbox in the browser: what the desk sent while no relay is configured, and a way to write to it as a pretend customer."""
