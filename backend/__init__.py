"""MindTwin's backend: the pure twin, its adapters, the Django apps and the doors."""
