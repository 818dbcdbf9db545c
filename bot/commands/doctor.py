"""``kentongan doctor``: what is wrong and what to do, one line each."""

import json
import os
from dataclasses import asdict

import typer

from bot.clock import utc_now
from bot.doctor import doctor
from bot.doctor.findings import State
from bot.terminal.desk import AsJson, ConfigFile, Refused
from bot.terminal.printing import safe

NAME = "doctor"


def run(config_file: ConfigFile = None, *, as_json: AsJson = False) -> None:
    """Look at settings, keys, database, providers and clock; say what to do."""
    findings = doctor.examine(config_file, os.environ, clock=utc_now)
    if as_json:
        typer.echo(json.dumps([asdict(finding) for finding in findings], indent=2))
    else:
        for finding in findings:
            typer.echo(f"{finding.state:<5}  {finding.check}: {safe(finding.says)}")
    if not doctor.is_well(findings):
        count = sum(finding.state is State.WRONG for finding in findings)
        raise Refused(f"{count} wrong; what to do stands beside each")
