"""The life of messages at their sender and receiver: events that begin, change and end; what is worth sharing; maps in parts; freshness."""
