"""Presets: a whole desk in a folder. `load_preset` reads one, `check_preset` says what is wrong with one."""

from desk_core.catalogue.preset_check import check_preset
from desk_core.catalogue.preset_model import Preset
from desk_core.catalogue.preset_read import UnreadablePreset, load_preset
from desk_core.catalogue.preset_source import Problem, Severity

__all__ = ["Preset", "Problem", "Severity", "UnreadablePreset", "check_preset", "load_preset"]
