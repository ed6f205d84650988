from deploy.embedded import kafka
from deploy.kafka.admin import Access, Admin, Topic
from deploy.provision import (
    READ,
    generations,
    own_access,
    partner_access,
    partner_user,
    service_access,
    take_back_rights,
)
from deploy.site import ADMIN


def names(admin: Admin, user: str) -> set[str]:
    return {right.name for right in admin.rights(user)}


def test_what_this_release_does_not_grant_is_taken_back_and_nothing_else(broker: kafka.Broker) -> None:
    admin, user = Admin(broker.kafka), partner_user("gp-rights")
    before = Access("topic", "of-an-earlier-release", "literal", READ)
    admin.apply_topics([Topic("partners.gp-rights.inbox", 1)])
    admin.set_password(user, "secret")
    granted = {"matching": [*service_access("matching"), *partner_access("matching", "gp-rights")]}
    granted |= {user: own_access("gp-rights"), "somebody": [before]}
    for who, accesses in granted.items():
        admin.grant(who, {*accesses, before})
    take_back_rights(admin, ["gp-rights"])
    kept = {who: {access.name for access in accesses} for who, accesses in granted.items()}
    assert {who: names(admin, who) for who in granted} == kept


def test_a_partner_whose_name_begins_another_has_its_own_users_alone() -> None:
    users = [ADMIN, "referrals", "partner.food-bank", "partner.food-bank2", "partner.food-bank.3", "partner.food"]
    assert generations(users, "food-bank") == [1, 3]
    assert generations(users, "food-bank2") == [1]
    assert generations(users, "gp-armley") == []
