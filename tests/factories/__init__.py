"""Rows and stories for tests, made through the desk's own verbs wherever there is one."""
