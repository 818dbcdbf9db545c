"""``kentongan check`` proves rules and texts; ``kentongan doctor`` examines an installation."""

import json
import os
from dataclasses import asdict

import typer

from bot.assembly.office import make_office
from bot.clock import utc_now
from bot.doctor import doctor as examination
from bot.doctor.findings import NO_LINK, State
from bot.front.front import Front
from bot.terminal import desk
from bot.terminal.desk import AsJson, ConfigFile, Refused
from bot.terminal.printing import safe
from handlers.questionnaire import book
from storage.crypto.server_key import ServerKeys


def check(config_file: ConfigFile = None) -> None:
    """Prove settings, questions, texts, workflow, deadlines and lifetimes; needs no database."""
    settings = desk.settings_of(config_file)
    # A key of the moment: rules are read as `serve` reads them, but nothing is opened.
    office = make_office(settings, ServerKeys.new(), now=utc_now())
    office.lexicon()
    Front(settings, office, str)
    problems = book.check(office.questionnaire, office.texts)
    if not settings.link and settings.takes_reports:
        problems.append(NO_LINK)
    elif not settings.link:
        typer.echo(NO_LINK)
    for problem in problems:
        typer.echo(problem)
    if problems:
        raise Refused(f"{len(problems)} to correct in settings, questions and texts")
    rules = office.rulebook
    typer.echo(
        f"Settings, {len(office.questionnaire.steps)} steps in "
        f"{' and '.join(office.languages)}, {len(rules.workflow.places)} statuses, "
        f"{len(rules.deadlines.rules)} deadlines, {len(rules.lifetimes.rules)} lifetimes and "
        f"{len(rules.categories)} categories are sound."
    )


def doctor(config_file: ConfigFile = None, *, as_json: AsJson = False) -> None:
    """Look at settings, keys, database, providers and clock; say what to do."""
    findings = examination.examine(config_file, os.environ, clock=utc_now)
    if as_json:
        typer.echo(json.dumps([asdict(finding) for finding in findings], indent=2))
    else:
        for finding in findings:
            typer.echo(f"{finding.state:<5}  {finding.check}: {safe(finding.says)}")
    if not examination.is_well(findings):
        count = sum(finding.state is State.WRONG for finding in findings)
        raise Refused(f"{count} wrong; what to do stands beside each")
