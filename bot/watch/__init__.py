"""The server watches itself.

``watching.toml`` holds the rules of the alarms.

alarms: the rules of alarms and the state of each; pure
canary: sends a synthetic report through the whole system every few minutes
canary_channel: the canary's channel adapter, without a provider
canary_door: the HTTP endpoint that the canary posts to
gauges: the levels of ``/metrics`` that are read from the store
health: ``/healthz``, ``/readyz``, ``/metrics``; and the call to an outside monitor
readiness: whether this process can store a message durably now
watcher: the loop that judges watches and levels and tells the operators
"""
