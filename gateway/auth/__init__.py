"""Who is at the console: passwords, sessions, log-in, and the rights a page asks for."""
