"""All commands: importing this module imports the modules of the packages below, which register theirs."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

from lms_bot.handlers import admin, mentor, student
from lms_bot.handlers.registry import REGISTRY

__all__ = ["REGISTRY"]

for package in (mentor, student, admin):
    for module in iter_modules(package.__path__, f"{package.__name__}."):
        import_module(module.name)
