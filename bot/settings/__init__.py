"""Settings: strictly read, each with a type and a default.

loading: reads ``config.toml``, environment and secret files; refuses unknown names
sections: one frozen model for each section of ``config.toml``
values: types and checks of single values: addresses, numbers, secrets, time zones
"""
