"""Runs what the dialogue asks for: each command calls one verb."""

from dataclasses import replace

from handlers.cases import data_requests, reporter, submission
from handlers.conversation import clean_chat
from handlers.conversation.exchange import Turning, discard
from handlers.conversation.memory import Trail
from handlers.messages import Command, CommandName, Proof, Reply
from handlers.notices import joined, reporters
from handlers.talk import followup, talk
from handlers.talk.turn import Turn
from handlers.work import Work
from storage.cases import cases, items
from storage.jobs import jobs
from storage.notices import failed, subscriptions
from storage.notices.subscribers import Subscriber
from storage.words import Anonymity, Audience, JobKind, RequestKind, Wanted

WISH = "Q05"
"""The step that says how the reporter wishes to be known; the last word counts."""

PLACE = "Q07"
"""The step whose words may name a province; routing reads its code."""


def run(turning: Turning, command: Command) -> tuple[Reply, ...]:
    """Run a command; returns what is to be said before the dialogue's own answers."""
    match command.name:
        case CommandName.SUBMIT:
            _submit(turning, command)
        case CommandName.DISCARD:
            discard(turning)
        case CommandName.STATUS | CommandName.READ:
            return _status(turning)
        case CommandName.WITHDRAW | CommandName.FORGET:
            _end(turning, command.name)
        case (
            CommandName.ERASE
            | CommandName.RESTRICT
            | CommandName.ACCESS
            | CommandName.CORRECT
        ):
            _ask(turning, RequestKind(command.name.value))
        case CommandName.SUBSCRIBE:
            _subscribe(turning, command)
        case CommandName.UNSUBSCRIBE:
            discard(turning)
            for handle in turning.incoming.handles:
                subscriptions.end_for_handle(
                    turning.work.store,
                    turning.work.keys,
                    turning.incoming.channel,
                    handle,
                )
            turning.over, turning.memory.trail = True, Trail()
        case CommandName.CLEAN:
            _forget_failed(turning)
            clean_chat.begin(turning.work.office, turning.memory)
    return ()


def refuse_purged(turning: Turning, turn: Turn) -> Turn:
    """Say so, and keep nothing, where somebody adds to a case whose contents are erased."""
    session, office, memory = turning.work.store, turning.work.office, turning.memory
    if not any(item.to_case for item in turn.items):
        return turn
    report = turning.case_of(turn)
    case = cases.get(session, office.keys, bytes.fromhex(report))
    if case is None or case.purged is None:
        return turn
    if report == memory.opened:
        memory.forget_case()
    copy = {"channel": turning.incoming.channel.value, "id": turning.incoming.erase}
    if turning.incoming.media and copy["id"] and office.erase_copies:
        jobs.put(session, office.keys, JobKind.ERASE, copy, now=turning.work.now)
    state = turning.state
    if state.step in {followup.ASK_ADDITION, followup.ASK_REPLY}:
        state = talk.release(state)
    reply = Reply("NOTADDED", {"date": case.purged.strftime("%d/%m/%Y")})
    return Turn(state, replies=(reply,))


def settle(turning: Turning, turn: Turn) -> None:
    """Do what the answers of a turn ask for at once, when its items are sealed.

    A province is noted for routing. Whoever is anonymous again has no name here any more.
    """
    memory = turning.memory
    for item in turn.items:
        if item.step == PLACE:
            provinces = turning.work.office.rulebook.provinces
            memory.province = provinces.named_in(item.text)
    before, after = turning.state.answers.get(WISH), turn.state.answers.get(WISH)
    named = any(
        item.audience is Audience.IDENTITY and not item.to_case for item in turn.items
    )
    if memory.report and after == Anonymity.ANON and (named or before != after):
        items.erase_identity(turning.work.store, bytes.fromhex(memory.report))


def restore_language(turning: Turning) -> None:
    """Speak the language of the report again when its code was opened."""
    wanted = reporter.language_of(turning.work, turning.opening)
    if wanted and not turning.state.chosen:
        turning.memory.state = replace(turning.state, language=wanted, chosen=True)


def _submit(turning: Turning, command: Command) -> None:
    if not turning.memory.report:
        return
    report = bytes.fromhex(turning.memory.report)
    if command.answers.get(WISH) == Anonymity.ANON:
        items.erase_identity(turning.work.store, report)
    submission.open_case(
        turning.work,
        report,
        {**command.answers, PLACE: turning.memory.province},
        reporter=_subscriber(turning),
        notify=command.notify,
    )
    turning.sent, turning.memory.report = turning.memory.report, ""
    turning.over = True


def _status(turning: Turning) -> tuple[Reply, ...]:
    if turning.opening.proof is not Proof.OPENED:
        return ()
    stands = reporter.status_of(
        turning.work,
        turning.opening,
        language=turning.language,
        channel=turning.incoming.channel,
    )
    return (*stands, *reporter.unread(turning.work, turning.opening))


def _end(turning: Turning, name: CommandName) -> None:
    if not turning.memory.may_add(turning.work.now):
        return
    verb = reporter.withdraw if name is CommandName.WITHDRAW else reporter.erase
    report = bytes.fromhex(turning.memory.opened)
    verb(turning.work, report)
    turning.memory.forget_case()
    _forget_failed(turning)


def _forget_failed(turning: Turning) -> None:
    """Let no letter that failed come to this chat any more."""
    for handle in turning.incoming.handles:
        failed.forget_person(
            turning.work.store, turning.work.keys, turning.incoming.channel, handle
        )


def _ask(turning: Turning, kind: RequestKind) -> None:
    if not turning.memory.may_add(turning.work.now):
        return
    report = bytes.fromhex(turning.memory.opened)
    data_requests.ask(turning.work, report, kind)
    if kind is RequestKind.ERASE:
        turning.memory.forget_case()


def _subscribe(turning: Turning, command: Command) -> None:
    """Set the kind of notices about the open case; None ends them, an alias's too.

    Whoever has them already hears that another contact asked for them.
    """
    if not turning.memory.may_add(turning.work.now):
        return
    session, keys, incoming = turning.work.store, turning.work.keys, turning.incoming
    report = bytes.fromhex(turning.memory.opened)
    handles = incoming.handles
    if command.notify is not None:
        wish = replace(_subscriber(turning), kind=command.notify)
        _tell_others(turning, report, handles)
        subscriptions.add(session, keys, report, wish)
        if command.notify is Wanted.NEUTRAL:
            _quieten(turning, report, wish)
        handles = incoming.aliases  # one person hears it once
    for handle in handles:
        subscriptions.end(session, keys, report, incoming.channel, handle)


def _quieten(turning: Turning, report: bytes, wish: Subscriber) -> None:
    """Let no words leave any more that are not wanted since this message."""
    session, office = turning.work.store, turning.work.office
    case = cases.get(session, office.keys, report)
    if case is not None:
        joined.quieten(Work(session, office, turning.work.now), case, wish)


def _tell_others(turning: Turning, report: bytes, handles: tuple[str, ...]) -> None:
    """Say it once: whoever has news already and changes its kind is no new contact."""
    session, office, channel = (
        turning.work.store,
        turning.work.office,
        turning.incoming.channel,
    )
    known = subscriptions.of_case(session, office.keys, report)
    if any(one.channel is channel and one.handle in handles for one in known):
        return
    case = cases.get(session, office.keys, report)
    if case is not None:
        reporters.tell_of_another(
            Work(session, office, turning.work.now),
            case,
            channel=channel,
            handles=handles,
        )


def _subscriber(turning: Turning) -> Subscriber:
    return Subscriber(
        channel=turning.incoming.channel,
        handle=turning.incoming.handle,
        language=turning.language,
        last_inbound=turning.heard,
    )
