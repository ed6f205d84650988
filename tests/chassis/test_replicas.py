"""Several replicas of a service: each tells how it is itself, and no more."""

from chassis.metrics import DEGRADED, REGISTRY
from deploy.embedded.ports import free_port
from tests.chassis.conftest import Toy
from tests.support import eventually


async def relay_degraded() -> bool:
    return REGISTRY.get_sample_value("furthest_degraded", {"part": "relay"}) == 1


async def partitions_with_lag(topic: str) -> set[str]:
    samples = (s for metric in REGISTRY.collect() for s in metric.samples if s.name == "furthest_lag_records")
    return {sample.labels["partition"] for sample in samples if sample.labels["topic"] == topic}


async def test_a_relay_that_lost_its_turn_to_another_replica_is_not_degraded(toy: Toy) -> None:
    with toy.process(FURTHEST_HTTP_PORT=str(free_port())):
        await eventually(toy.relay_holds_its_turn, bool, within=40)
        DEGRADED.labels(part="relay").set(1)
        async with toy.running():
            await eventually(relay_degraded, lambda it_is: not it_is)


async def test_lag_is_told_of_partitions_that_are_read_here(toy: Toy) -> None:
    async with toy.running():
        await eventually(lambda: partitions_with_lag(toy.topic), lambda seen: seen == {"0", "1"})
        with toy.process(FURTHEST_HTTP_PORT=str(free_port())):
            await eventually(lambda: partitions_with_lag(toy.topic), lambda seen: len(seen) == 1, within=40)
