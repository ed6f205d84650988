"""Makes what services need on their servers: databases and roles, topics, users and access, from the catalogue."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence

import asyncpg

from chassis.migrations import migrate
from chassis.postgres import connect, connected
from chassis.settings import DatabaseSettings
from contracts import catalogue
from contracts.message import SERVICES, Service
from contracts.topics import ACCESS, inbox, outbox, partner_of
from deploy import areas, keys
from deploy.kafka.admin import Access, Admin, Topic
from deploy.kafka.quotas import OF_A_PARTNER, OF_A_SERVICE, Quota, apply_quotas
from deploy.site import Roles, Site

READ = ("read", "describe")
WRITE = ("write", "describe")


async def apply_databases(site: Site) -> list[str]:
    """Makes what databases and roles lack, loads the default areas on the first time, and returns the migrations
    that were missing."""
    applied: list[str] = []
    await _take_up_password(site)
    for service in SERVICES:
        roles = site.roles(service)
        await make_database(site.database, roles)
        applied += [f"{service}: {name}" for name in await migrate_service(service, roles)]
    await make_backup_role(site)
    await site.act("referrals", areas.default().model_copy(update={"first": True}))
    return applied


async def _take_up_password(site: Site) -> None:
    """Where the administrator's password was renewed, the server is told by the one before."""
    before = site.before("postgres-admin")
    if before is None:
        return
    try:
        conn = await connect(site.database)
    except asyncpg.InvalidPasswordError:
        conn = await connect(site.database.model_copy(update={"password": before}))
        await _make_role(conn, site.database)
    await conn.close()


async def make_backup_role(site: Site) -> None:
    """Makes the role that copies the whole server; where the server is not ours alone, that is its owner's business."""
    role = site.backup
    async with connected(site.database) as conn:
        if await conn.fetchval("select rolsuper from pg_roles where rolname = current_user"):
            await _make_role(conn, role)
            await conn.execute(f"alter role {await conn.fetchval('select quote_ident($1)', role.user)} replication")


async def make_database(admin: DatabaseSettings, roles: Roles) -> None:
    """Makes the roles and the database, and sets the passwords. May be repeated."""
    async with connected(admin) as conn:
        for role in (roles.owner, roles.app, roles.backup):
            await _make_role(conn, role)
        if not await conn.fetchval("select 1 from pg_database where datname = $1", roles.app.name):
            name, owner = await _idents(conn, roles.app.name, roles.owner.user)
            await conn.execute(f"create database {name} owner {owner}")
        name, app, backup = await _idents(conn, roles.app.name, roles.app.user, roles.backup.user)
        await conn.execute(f"revoke all on database {name} from public")
        await conn.execute(f"grant connect on database {name} to {app}, {backup}")
        await conn.execute(f"grant pg_read_all_data to {backup}")


async def _make_role(conn: "asyncpg.Connection[asyncpg.Record]", role: DatabaseSettings) -> None:
    name = await conn.fetchval("select quote_ident($1)", role.user)
    password = await conn.fetchval("select quote_literal($1)", role.password.get_secret_value())
    if not await conn.fetchval("select 1 from pg_roles where rolname = $1", role.user):
        await conn.execute(f"create role {name} login")
    await conn.execute(f"alter role {name} login password {password}")


async def _idents(conn: "asyncpg.Connection[asyncpg.Record]", *names: str) -> list[str]:
    return [await conn.fetchval("select quote_ident($1)", name) for name in names]


async def migrate_service(service: str, roles: Roles) -> list[str]:
    """Applies the missing migrations of the chassis and of the service, and returns their names."""
    return await migrate(roles.owner, roles.app.user, ["chassis", f"services.{service}"])


def apply_kafka(site: Site) -> dict[str, int]:
    """Makes what topics, users, rights and quotas lack, partners' too, and takes back rights that are granted no more.
    Returns the topics' partitions."""
    _take_up_kafka_password(site)
    admin = site.admin()
    apply_topics(admin)
    apply_users(admin, {service: keys.read(site.secrets, service, "kafka_password") for service in SERVICES})
    partners = partners_of(admin)
    for partner in partners:
        apply_partner(admin, partner)
    take_back_rights(admin, partners)
    ours: Mapping[str | None, Quota] = dict.fromkeys((site.kafka.user, *SERVICES), OF_A_SERVICE)
    asyncio.run(apply_quotas(site.kafka, {None: OF_A_PARTNER, **ours}))
    return admin.partitions()


def _take_up_kafka_password(site: Site) -> None:
    """As for PostgreSQL. A password that is wrong is not told apart from a Kafka that is away: both are waited for."""
    before = site.before("kafka-admin")
    if before is None or site.admin().is_let_in():
        return
    known = Admin(site.kafka.model_copy(update={"password": before}))
    known.set_password(site.kafka.user, site.kafka.password.get_secret_value())


def partners_of(admin: Admin) -> list[str]:
    """Partners are known by their inboxes."""
    inboxes = (topic for topic in admin.partitions() if topic.endswith(".inbox"))
    return sorted(partner for topic in inboxes if (partner := partner_of(topic)))


def apply_topics(admin: Admin) -> None:
    admin.apply_topics([_topic(topic) for topic in catalogue.TOPICS])


def _topic(topic: catalogue.Topic) -> Topic:
    return Topic(topic.name, topic.partitions, topic.config)


def service_access(service: Service) -> list[Access]:
    """What a service may touch, its partners' topics left out: those are granted with each partner."""
    reads = {*catalogue.topics_read(service), ACCESS}
    writes = set(catalogue.topics_written(service))
    groups = [service, f"{service}.inbox"] if service in catalogue.READS_INBOXES else [service]
    return [
        *(Access("topic", name, "literal", READ) for name in sorted(reads - writes)),
        *(Access("topic", name, "literal", WRITE) for name in sorted(writes - reads)),
        *(Access("topic", name, "literal", (*READ, "write")) for name in sorted(reads & writes)),
        *(Access("group", name, "literal", ("read",)) for name in groups),
    ]


def apply_users(admin: Admin, passwords: Mapping[Service, str]) -> None:
    for service in SERVICES:
        admin.set_password(service, passwords[service])
        admin.grant(service, service_access(service))


def take_back_rights(admin: Admin, partners: Sequence[str]) -> None:
    """What an earlier release granted, and this one does not. Whose topics a service may touch is read from its rights:
    a partner that is being added meanwhile loses none."""
    for service in SERVICES:
        rights = admin.rights(service)
        known = {partner for right in rights if (partner := partner_of(right.name))}
        of_partners = (access for partner in known for access in partner_access(service, partner))
        admin.take_back(service, rights, but=[*service_access(service), *of_partners])
    users = admin.users()
    for user, partner in ((partner_user(each, n), each) for each in partners for n in generations(users, each)):
        admin.take_back(user, admin.rights(user), but=own_access(partner))


def partner_user(partner: str, generation: int = 1) -> str:
    """A Kafka user of a partner. No service can have this name."""
    return f"partner.{partner}" if generation == 1 else f"partner.{partner}.{generation}"


def generations(users: Iterable[str], partner: str) -> list[int]:
    """Those of a partner among the Kafka users that are live, the oldest first."""
    first = partner_user(partner)
    named = (f"{user}.1" if user == first else user for user in users)
    parts = (user.rpartition(".") for user in named)
    return sorted(int(number) for name, _, number in parts if name == first)


def partner_access(service: Service, partner: str) -> list[Access]:
    """What a service may touch of a partner's topics."""
    reads = service in catalogue.READS_INBOXES
    shows = service == catalogue.READS_OUTBOXES
    writes = bool(catalogue.told_partners(service))
    outbox_rights = (*(READ if shows else ()), *(WRITE if writes else ()))
    return [
        *([Access("topic", inbox(partner), "literal", READ)] if reads else []),
        *([Access("topic", outbox(partner), "literal", tuple(dict.fromkeys(outbox_rights)))] if outbox_rights else []),
    ]


def own_access(partner: str) -> list[Access]:
    """What a partner may touch."""
    return [
        Access("topic", inbox(partner), "literal", WRITE),
        Access("topic", outbox(partner), "literal", READ),
        Access("group", f"partners.{partner}.", "prefixed", ("read",)),
    ]


def apply_partner(admin: Admin, partner: str) -> None:
    """Makes what a partner's topics and the services' rights on them lack."""
    admin.apply_topics([_topic(topic) for topic in catalogue.partner_topics(partner)])
    for service in SERVICES:
        admin.grant(service, partner_access(service, partner))


def add_partner(admin: Admin, partner: str, password: str, generation: int = 1) -> None:
    """Makes a partner's topics and user, and lets the services read its inbox, and write and show its outbox."""
    apply_partner(admin, partner)
    user = partner_user(partner, generation)
    admin.set_password(user, password)
    admin.grant(user, own_access(partner))


def reader_user(reader: str) -> str:
    """The Kafka user of a subscriber. No service and no partner can have this name."""
    return f"reader.{reader}"


def add_reader(admin: Admin, reader: str, password: str) -> None:
    """Lets somebody read what is published, and nothing else. May be repeated, with another password."""
    user = reader_user(reader)
    admin.set_password(user, password)
    admin.grant(
        user,
        [
            Access("topic", catalogue.PUBLISHED, "literal", READ),
            Access("group", f"readers.{reader}.", "prefixed", ("read",)),
        ],
    )


def remove_reader(admin: Admin, reader: str) -> None:
    user = reader_user(reader)
    admin.revoke(user)
    admin.remove_user(user)


def remove_users(admin: Admin, partner: str, numbers: Iterable[int]) -> None:
    """Who is connected may do nothing more at once."""
    for number in numbers:
        user = partner_user(partner, number)
        admin.revoke(user)
        admin.remove_user(user)
