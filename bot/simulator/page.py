"""The page with the phones."""

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from bot.simulator.acts import Acts
from bot.simulator.world import World


class Page:
    """The page."""

    def __init__(self, world: World, acts: Acts) -> None:
        self.world = world
        self.acts = acts

    def routes(self) -> list[Route]:
        """Where the page lies."""
        return [Route("/", self.index)]

    async def index(self, _: Request) -> Response:
        """Give a line, for now."""
        return PlainTextResponse("simulator")
