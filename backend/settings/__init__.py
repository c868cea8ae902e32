"""Settings: base, and what differs where (embedded, production, test)."""
