"""Security: signed envelopes of IEEE 1609.2, certificates, checks with their own reasons, and verification under overload."""
