"""Runs a small agency with simulated phones on this machine.

agency: the demo's folder: settings, keys, database, officers with known passphrases
demo: starts simulator and server, announces addresses, ends both
"""
