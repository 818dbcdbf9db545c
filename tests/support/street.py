"""A reporter at the real doors, and whoever writes in their number: nothing leaves."""

from dataclasses import dataclass

from storage.cases import cases, data_requests, history
from storage.models import Case
from storage.notices import subscriptions
from storage.words import Channel
from tests.support.desk import Desk, Slip
from tests.support.doors import WHATSAPP_NUMBER, Doors

STORY = "LAPOR Lurah minta 2 juta untuk tanda tangan surat tanah di kelurahan"
NUMBER = "+6281200000001"
CHAT = 5001
HANDLES = {
    Channel.TELEGRAM: str(CHAT),
    Channel.WHATSAPP: f"whatsapp:{NUMBER}",
    Channel.SMS: NUMBER,
}


@dataclass(frozen=True)
class Standing:
    """What nobody may change without number and code."""

    status: str
    withdrawn: bool
    wanted: tuple[str, ...]
    asked: tuple[str, ...]
    events: tuple[str, ...]


@dataclass
class Street:
    """Whatever is said here comes from the reporter's own number, or seems to."""

    door: Doors
    channel: Channel

    async def say(self, *lines: str) -> list[str]:
        """Send lines; returns what was answered to the last one."""
        heard: list[str] = []
        for line in lines:
            await self._post(line)
            heard = self._hear()
        return heard

    async def press(self, data: str, *, listen: bool = True) -> list[str]:
        """Press a button in the reporter's own chat."""
        update = self.door.update("", CHAT)
        message = update.pop("message")
        update["callback_query"] = {
            "id": str(self.door.next()),
            "from": message["from"],
            "message": message,
            "chat_instance": "1",
            "data": data,
        }
        assert (await self.door.telegram(update)).is_success
        return self._hear() if listen else []

    async def reports(self) -> Slip:
        """Report, ask for neutral news, and ask where the report stands."""
        await self._post(STORY)
        desk = self.desk
        desk.makes_receipts()
        desk.letters = self.door.letters()
        slip = desk.slip(HANDLES[self.channel])
        await self.say(f"KABAR NETRAL {slip}")
        assert "sudah kami terima" in " ".join(await self.say(f"STATUS {slip}"))
        assert self.stands(slip).wanted == ("neutral",)
        return slip

    def stands(self, slip: Slip) -> Standing:
        """Return how a case stands."""
        case = self.case(slip)
        with self.door.app.database.reading() as session:
            place = (session, self.door.keys, case.report)
            return Standing(
                case.status,
                case.reporter_withdrawn,
                tuple(str(one.kind) for one in subscriptions.of_case(*place)),
                tuple(str(one.kind) for one in data_requests.of_report(*place)),
                tuple(one.code for one in history.of_case(session, case.report)),
            )

    def case(self, slip: Slip) -> Case:
        """Return the case of a slip."""
        with self.door.app.database.reading() as session:
            found = cases.by_number(session, self.door.keys, slip.number)
        assert found is not None
        return found

    @property
    def desk(self) -> Desk:
        """A desk in the same house."""
        app, door = self.door.app, self.door
        return Desk(app.database, door.keys, app.office, door.founded, door.clock())

    async def _post(self, line: str) -> None:
        door = self.door
        if self.channel is Channel.TELEGRAM:
            answer = await door.telegram(door.update(line, CHAT))
        elif self.channel is Channel.WHATSAPP:
            form = door.sms(
                line, HANDLES[self.channel], To=f"whatsapp:{WHATSAPP_NUMBER}"
            )
            answer = await door.twilio("whatsapp", form)
        else:
            answer = await door.twilio("sms", door.sms(line, NUMBER))
        assert answer.is_success

    def _hear(self) -> list[str]:
        return [one.text for one in self.door.letters() if one.text]
