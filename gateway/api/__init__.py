"""Programs talk to the desk here."""
