"""How long hypothesis looks: shortly, for this is part of `make test`; with HYPOTHESIS_PROFILE=long much longer."""

import os

from hypothesis import HealthCheck, settings

settings.register_profile(
    "short", max_examples=200, deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("long", settings.get_profile("short"), max_examples=20_000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "short"))
