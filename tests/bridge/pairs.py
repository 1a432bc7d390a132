"""Two sides of a conversation without a socket between them."""

from scumble_bridge.connection import Authenticated, Connection, Event
from scumble_bridge.messages import Message

TOKEN = bytes(range(32))
JOB = "0123456789abcdef0123456789abcdef"


def swap(client: Connection, core: Connection) -> tuple[list[Event], list[Event]]:
    """Carry bytes to and fro until both are silent: what the client heard, and what the core heard."""
    to_client: list[Event] = []
    to_core: list[Event] = []
    while True:
        up, down = client.outgoing(), core.outgoing()
        if not up and not down:
            return to_client, to_core
        to_core += core.receive(up)
        to_client += client.receive(down)


def open_pair() -> tuple[Connection, Connection]:
    """A client and a core that know each other."""
    client, core = Connection("client", TOKEN), Connection("core", TOKEN, server="test")
    heard = swap(client, core)
    assert heard == ([Authenticated(2, "test")], [Authenticated(2, "")])
    return client, core


def sent(connection: Connection, *messages: Message) -> bytes:
    """The bytes that these messages become."""
    for message in messages:
        connection.send(message)
    return connection.outgoing()
