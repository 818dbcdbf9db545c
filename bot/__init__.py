"""The bot meets the world: network, clock, configuration, pages and loops live here.

``webhooks`` is the first of the five files of one message.

__main__: runs ``kentongan`` as ``python -m bot``
app: the server process: builds the ASGI application, starts and stops every loop
assembly: builds the running parts from the settings; starts nothing
channels: one adapter for each provider: parse, send, fetch, limits
cli: the command ``kentongan``: its groups of commands, exit codes and error lines
clock: the current time for commands; the only place that reads the clock
commands: what an operator types, one module for each noun
console: the officers' web pages
delivery: sends the letters of the outbox
demo: runs a small agency with simulated phones on this machine
doctor: ``kentongan doctor``: examines an installation and advises
evidence: fetches reporters' files and makes clean working copies of them
front: pages for everybody: what this is, every way to report, a leaflet
intake: takes in what providers deliver: checks, parses, hands to the writer
jobs: runs durable jobs and everything that happens on a schedule
lanes: what waits for a thread of the writer, and which calls share a commit
operations: what commands and loops do with files on this machine
retention: erases what outlived its rule and keeps it erased
settings: ``config.toml``, environment and secret files, strictly read
simulator: small copies of Telegram and Twilio for demo and tests
telemetry: logs, metrics, heartbeats of loops, circuit breakers
terminal: what every command uses: settings, passphrases, output, error lines
watch: the server watches itself: canary, alarms, readiness, health
webhooks: the providers' HTTP endpoints: bounded bodies, signatures, then one commit
writer: the one door for writes: queues verbs, batches messages, retries conflicts
"""
