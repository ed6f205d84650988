"""Secrets made anew: what is replaced is another, and what others still use stays beside the new."""

import json
from pathlib import Path

import pytest
from pydantic import SecretStr

from chassis.jwe import Opener, seal
from deploy import keys, renew
from deploy.errors import DeployError
from deploy.secrets import password


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    keys.make_secrets(tmp_path)
    for name in (*renew.ADMINISTRATORS, "kafka/kafka-broker", *(f"tls/{f}" for f in ("ca.pem", "cert.pem", "key.pem"))):
        password(tmp_path / name)
    return tmp_path


@pytest.mark.parametrize("name", renew.REPLACED)
def test_what_is_replaced_is_taken_away_to_be_made_as_on_the_first_start(folder: Path, name: str) -> None:
    files = [folder / file for file in renew.REPLACED[name]]
    assert all(file.exists() for file in files)
    renew.renew(folder, name)
    assert not any(file.exists() for file in files)


@pytest.mark.parametrize("name", renew.ADMINISTRATORS)
def test_the_server_can_still_be_told_by_the_administrators_old_password(folder: Path, name: str) -> None:
    before = (folder / name).read_text()
    renew.renew(folder, name)
    assert (folder / (name + renew.BEFORE)).read_text() == before
    assert password(folder / name) != before


@pytest.mark.parametrize("name", ["referrals/sealing", "programme"])
def test_two_keys_stand_in_a_file_the_newest_first_until_it_is_finished(folder: Path, name: str) -> None:
    file = folder / renew.TWO_AT_A_TIME[name]
    before = file.read_text()
    renew.renew(folder, name)
    new, old = file.read_text().split()
    assert old == before
    with pytest.raises(DeployError, match="--finish"):
        renew.renew(folder, name)
    renew.finish(folder, name)
    assert file.read_text() == new


def test_what_partners_sealed_with_either_key_is_opened_until_it_is_finished(folder: Path) -> None:
    old = keys.public_key(folder)
    renew.renew(folder, "jwe")
    new = keys.public_key(folder)
    assert new["kid"] != old["kid"]
    file = folder / renew.TWO_AT_A_TIME["jwe"]
    both = Opener(SecretStr(file.read_text()))
    assert [both.open(seal(b"x", key)) for key in (old, new)] == [b"x", b"x"]
    renew.finish(folder, "jwe")
    assert [key["kid"] for key in json.loads(file.read_text())] == [new["kid"]]


def test_a_secret_that_is_never_twofold_cannot_be_finished(folder: Path) -> None:
    with pytest.raises(DeployError, match="never more than one"):
        renew.finish(folder, "tokens")
