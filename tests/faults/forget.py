"""Deletes the offsets that Kafka keeps for a service: `python -m tests.faults.forget DIR SERVICE`.

A process of its own: where Kafka goes away meanwhile, librdkafka ends the one that asked.
"""

import sys
from pathlib import Path

from deploy.embedded.stack import Stack
from deploy.kafka.admin import AdminError
from tests.faults.deployment import groups_of

if __name__ == "__main__":
    admin = Stack(Path(sys.argv[1])).site.admin()
    try:
        for group in groups_of(sys.argv[2]):  # type: ignore[arg-type]  # given by the harness
            admin.delete_group(group)
    except AdminError as error:
        sys.exit(str(error))
