"""Who takes part: contacts and their identities, agents, teams, roles and permissions."""
