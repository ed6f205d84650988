"""A service's own code, by its name."""

from importlib import import_module

from chassis.service import Service
from chassis.settings import Settings


def settings_of(service: str) -> type[Settings]:
    model: type[Settings] = getattr(import_module(f"services.{service}.settings"), f"{service.capitalize()}Settings")
    return model


def build(service: str, settings: Settings) -> Service:
    built: Service = import_module(f"services.{service}.service").build(settings)
    return built
