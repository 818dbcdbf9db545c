"""Builds the running parts from the settings; starts nothing.

connections: what a connection may cost: seconds, bytes and places
hardening: no core dumps and no debugger for this process
office: the ``Office`` (rules, texts, limits) and the blob store, from the settings
server: the ``House``: channels, writer, console, loops, wired together
"""
