"""Topic table, schedulers, supervision, fault injection, record and replay."""
