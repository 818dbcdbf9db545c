"""Logs, metrics, heartbeats of loops, circuit breakers.

breaker: stops a channel whose provider is busy, away or refuses our account
heartbeats: tells which loops have stopped turning
log_fields: the names and fields that a log line may hold
logs: typed log events; other libraries' records without their text
metrics: the counters and levels of ``/metrics``, and who may read them
"""
