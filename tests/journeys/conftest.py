"""What journeys look at beside the deployment."""

from pathlib import Path

import pytest

from tests.deployment import Deployment


@pytest.fixture(scope="session")
def logs(deployment: Deployment) -> Path:
    return deployment.stack.dir / "logs"
