"""Any test of the engine may be the one during which Numba is loaded: none has a deadline."""

from hypothesis import settings

settings.register_profile("engine", deadline=None)
settings.load_profile("engine")
