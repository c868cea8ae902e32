"""The HTTP door: validates, calls one service, serialises; one class per operation."""
