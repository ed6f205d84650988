"""Writes jars.txt anew, after a version below was changed: `python -m deploy.embedded.pin_jars`."""

import tempfile
from pathlib import Path

from jgo.env import EnvironmentBuilder, LockFile

from deploy.embedded.jars import PINS, maven

KAFKA = "org.apache.kafka:kafka_2.13:4.3.1"
# Resolved apart from Kafka: asked for together, its dependency management swaps kafka-clients for 3.9.1.
LOGGING = "org.apache.logging.log4j:log4j-slf4j-impl:2.25.5"


def main() -> None:
    pins: dict[str, str] = {}
    with tempfile.TemporaryDirectory() as scratch:
        for root in (KAFKA, LOGGING):
            pins |= _resolve(root, Path(scratch))
    PINS.write_text("".join(f"{name}:{rest}\n" for name, rest in sorted(pins.items())))


def _resolve(root: str, scratch: Path) -> dict[str, str]:
    """Of each jar `group:artifact` to `version sha256`."""
    builder = EnvironmentBuilder(maven(scratch / "repository"), cache_dir=scratch / "environments")
    lock = LockFile.load(builder.from_endpoint(root).path / "jgo.lock.toml")
    return {f"{jar.groupId}:{jar.artifactId}": f"{jar.version} {jar.sha256}" for jar in lock.dependencies}


if __name__ == "__main__":
    main()
