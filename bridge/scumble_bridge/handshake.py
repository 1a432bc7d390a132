"""The handshake: both sides show that they know the token, neither says it.

Each proof is an HMAC-SHA256 over the prover's role, the versions offered and chosen, and both nonces. The role
keeps a proof from being mirrored back, the fresh nonces keep it from being replayed, and the versions in it
keep anyone between the two from talking them down to an older version.
"""

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from scumble_bridge.errors import ProtocolError

Role = Literal["client", "core"]

# Newest first. Version 1 is docs/protocol.md.
VERSIONS: "tuple[int, ...]" = (2,)
NONCE_BYTES = 32
TOKEN_BYTES = 32


@dataclass(frozen=True)
class Transcript:
    """What both sides have said in the open."""

    offered: "tuple[int, ...]"
    chosen: int
    client_nonce: bytes
    core_nonce: bytes

    def proof(self, token: bytes, prover: Role) -> bytes:
        """What the prover must send."""
        said = b"\0".join(
            (
                b"scumble",
                prover.encode("ascii"),
                ",".join(map(str, self.offered)).encode("ascii"),
                str(self.chosen).encode("ascii"),
            )
        )
        return hmac.new(token, said + b"\0" + self.client_nonce + self.core_nonce, hashlib.sha256).digest()

    def check(self, token: bytes, prover: Role, proof: bytes) -> None:
        """ProtocolError when the other side doesn't know the token."""
        if not hmac.compare_digest(self.proof(token, prover), proof):
            raise ProtocolError("The other side doesn't know this machine's Scumble token.")


def choose_version(offered: Sequence[int]) -> int:
    """The newest version that both sides know."""
    for version in VERSIONS:
        if version in offered:
            return version
    raise ProtocolError(
        f"The client speaks protocol versions {list(offered)}, this core {list(VERSIONS)}: update the older one."
    )
