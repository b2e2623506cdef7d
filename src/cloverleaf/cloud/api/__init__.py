"""The platform's HTTP and WebSocket interface."""
