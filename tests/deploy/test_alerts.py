"""Every alert leads to what is to be done, and Prometheus accepts the rules."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
RULES = ROOT / "deploy" / "compose" / "alerts.yml"
IMAGE = "prom/prometheus:v3"
TEXT = RULES.read_text(encoding="utf-8")


def _runbooks() -> dict[str, str]:
    alerts, runbooks = re.findall(r"- alert: (\w+)", TEXT), re.findall(r"runbook: (\S+)", TEXT)
    assert len(alerts) == len(runbooks), "each alert names its runbook"
    return dict(zip(alerts, runbooks, strict=True))


@pytest.mark.parametrize(("alert", "runbook"), _runbooks().items())
def test_an_alert_has_a_section_that_says_what_to_do(alert: str, runbook: str) -> None:
    page, _, anchor = runbook.partition("#")
    assert anchor == alert.lower()
    headings = re.findall(r"^## (\w+)$", (ROOT / page).read_text(encoding="utf-8"), re.MULTILINE)
    assert anchor in {heading.lower() for heading in headings}


def test_a_section_of_an_alert_has_its_alert() -> None:
    page = (ROOT / "docs" / "ops" / "watch.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^## (\w+)$", page, re.MULTILINE)) == set(_runbooks())


def test_prometheus_accepts_the_rules_and_how_it_finds_the_services() -> None:
    docker = shutil.which("docker")
    there = docker and subprocess.run([docker, "image", "inspect", IMAGE], capture_output=True, check=False)
    if not docker or not there or there.returncode:
        pytest.skip(f"there is no Docker engine with {IMAGE}")
    mount = f"{RULES.parent}:/etc/furthest:ro"
    words = [docker, "run", "--rm", "--network", "none", "-v", mount, "--entrypoint", "promtool", IMAGE, "check"]
    for what in (("rules", "/etc/furthest/alerts.yml"), ("config", "/etc/furthest/prometheus.yml")):
        done = subprocess.run([*words, *what], capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
