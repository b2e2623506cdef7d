"""Who may do what on the platform: identities, roles, limits, audit, privacy."""
