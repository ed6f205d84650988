"""Notifications: who is told, how, and whether it is safe."""
