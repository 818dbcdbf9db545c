"""``kentongan check``: settings, rules and texts, proven before a reporter meets them."""

import typer

from bot.assembly.office import make_office
from bot.clock import utc_now
from bot.terminal import desk
from bot.terminal.desk import ConfigFile, Refused
from handlers.questionnaire import book as questionnaire
from storage.crypto.server_key import ServerKeys

NAME = "check"


def run(config_file: ConfigFile = None) -> None:
    """Prove settings, questions, texts, workflow, deadlines and lifetimes; needs no database."""
    settings = desk.settings_of(config_file)
    # A key of the moment: rules are read as `serve` reads them, but nothing is opened.
    office = make_office(settings, ServerKeys.new(), now=utc_now())
    problems = questionnaire.check(office.questionnaire, office.texts)
    for problem in problems:
        typer.echo(problem)
    if problems:
        raise Refused(f"{len(problems)} to correct in the questions and texts")
    rules = office.rulebook
    typer.echo(
        f"Settings, {len(office.questionnaire.steps)} steps in "
        f"{' and '.join(office.languages)}, {len(rules.workflow.places)} statuses, "
        f"{len(rules.deadlines)} deadlines, {len(rules.lifetimes.rules)} lifetimes and "
        f"{len(rules.categories)} categories are sound."
    )
