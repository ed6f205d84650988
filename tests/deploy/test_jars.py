import hashlib
import http.server
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest

from deploy.embedded import jars, kafka
from deploy.embedded.jars import Jar, JarError, JarMismatchError

CONTENT = b"a jar"
GOOD = Jar("org.example", "thing", "1.0", hashlib.sha256(CONTENT).hexdigest())


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FURTHEST_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "jars"


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A repository of jars on loopback, set as the mirror in jgo's settings."""
    root = tmp_path / "repository"
    root.mkdir()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(root)))
    _use_mirror(tmp_path, server.server_port, monkeypatch)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield root
    server.shutdown()
    server.server_close()
    thread.join()


def _use_mirror(home: Path, port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    (home / "jgo.conf").write_text(f"[repositories]\ncentral = http://127.0.0.1:{port}\n")
    monkeypatch.setenv("JGO_CONFIG_FILE", str(home / "jgo.conf"))


def _publish(root: Path, content: bytes) -> None:
    folder = root / "org" / "example" / "thing" / "1.0"
    folder.mkdir(parents=True)
    (folder / GOOD.file_name).write_bytes(content)


def test_the_list_is_complete_and_names_no_address() -> None:
    pinned = jars.pinned()
    versions = {jar.artifact: jar.version for jar in pinned}
    assert versions["kafka_2.13"] == versions["kafka-clients"] == versions["kafka-server"]
    assert len(versions) == len(pinned)
    assert all(len(jar.sha256) == 64 for jar in pinned)
    assert "//" not in jars.PINS.read_text()


def test_a_jar_is_fetched_once(cache: Path, served: Path) -> None:
    _publish(served, CONTENT)
    assert jars.class_path([GOOD]) == [cache / "thing-1.0.jar"]
    (served / "org" / "example" / "thing" / "1.0" / GOOD.file_name).unlink()
    assert jars.class_path([GOOD])[0].read_bytes() == CONTENT
    assert not list(cache.glob(".fetching-*"))


def test_two_at_once_do_not_disturb_each_other(cache: Path, served: Path) -> None:
    _publish(served, CONTENT)
    with ThreadPoolExecutor(4) as pool:
        paths = list(pool.map(jars.class_path, [[GOOD]] * 4))
    assert paths == [[cache / "thing-1.0.jar"]] * 4


def test_a_jar_that_is_not_the_pinned_one_is_not_kept(cache: Path, served: Path) -> None:
    _publish(served, b"another jar")
    with pytest.raises(JarMismatchError, match=r"not the pinned org\.example:thing:1\.0"):
        jars.class_path([GOOD])
    assert not list(cache.glob("*.jar"))


def test_a_jar_that_cannot_be_fetched_is_named(cache: Path, served: Path) -> None:
    assert served.exists()
    with pytest.raises(JarError, match=r"org\.example:thing:1\.0 could not be fetched, tried 3 times"):
        jars.class_path([GOOD])
    assert not list(cache.glob("*.jar"))


def test_without_a_network_it_says_so(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free_port: int
) -> None:
    _use_mirror(tmp_path, free_port, monkeypatch)
    with pytest.raises(JarError, match="Look at the network"):
        jars.class_path([GOOD])
    assert cache.exists()


def test_kafka_does_not_run_on_a_corrupted_jar(own_dir: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as usual:
        usual.delenv("FURTHEST_CACHE")
        good = jars.class_path()
    cache.mkdir(parents=True)
    for jar in good:
        (cache / jar.name).symlink_to(jar)
    bad = cache / "kafka-clients-4.3.1.jar"
    bad.unlink()
    bad.write_bytes(b"not a jar")
    with pytest.raises(JarMismatchError) as caught:
        kafka.start(own_dir)
    found = hashlib.sha256(b"not a jar").hexdigest()
    assert all(part in str(caught.value) for part in (str(bad), "org.apache.kafka", found, "Delete it"))
    assert not (own_dir / "kafka" / "data").exists()
