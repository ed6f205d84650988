"""Keys that open doors. The referrals service owns them; every door reads them."""

from uuid import UUID

from pydantic import Field

from contracts.message import Message, fact
from contracts.vocabulary import Role, When


@fact("referrals", topic="access", key="key_id", data_class="none")
class KeyAdded(Message):
    """A key may open doors. Only the SHA-256 of its 256 random bits travels."""

    key_id: UUID
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    role: Role
    principal: str
    expires_at: When

    example = {
        "key_id": "019aa0c4-0000-7000-8000-000000000004",
        "sha256": "0" * 64,
        "role": "partner",
        "principal": "gp-armley",
        "expires_at": "2027-11-20T10:00:00Z",
    }


@fact("referrals", topic="access", key="key_id", data_class="none")
class KeyRevoked(Message):
    """A key opens nothing any more."""

    key_id: UUID

    example = {"key_id": "019aa0c4-0000-7000-8000-000000000004"}
