"""The two ways in which a conversation can go wrong: the other side's fault, or ours."""


class ProtocolError(Exception):
    """The other side broke the protocol, or isn't one of ours: close the connection, send nothing more.

    `Connection.receive` raises nothing else, whatever bytes it is given.
    """


class MisuseError(Exception):
    """This side asked to send what it may not send now: a mistake in our program, found before it went out."""


class PlaceError(Exception):
    """A folder, token or socket on this machine can't be used; the message says which, why and what to do."""
