"""A TCP port that leads to another, and can delay what passes, hold it back, or cut every connection."""

import asyncio
import contextlib
import socket
import struct
from collections.abc import Callable
from dataclasses import dataclass, field

from deploy.embedded.ports import LOOPBACK

CHUNK = 64 * 1024
RESET = struct.pack("ii", 1, 0)
"""SO_LINGER: closing sends a reset, and no goodbye."""


@dataclass(slots=True)
class Proxy:
    """`delay` is in seconds, for each piece in each direction. `to` tells the port, also of a server that moves."""

    port: int
    to: Callable[[], int]
    delay: float = 0.0
    _open: asyncio.Event = field(default_factory=asyncio.Event)
    _writers: set[asyncio.StreamWriter] = field(default_factory=set)
    _server: asyncio.Server | None = None

    async def start(self) -> None:
        self._open.set()
        self._server = await asyncio.start_server(self._serve, LOOPBACK, self.port, limit=CHUNK)

    async def stop(self) -> None:
        if self._server:
            self._server.close()
            self.mend()
            self.cut()

    def cut(self) -> None:
        """Resets every connection, on both sides."""
        for writer in self._writers:
            _reset(writer)

    def hang(self) -> None:
        """From now on nothing passes, while connections stand and new ones are taken."""
        self._open.clear()

    def mend(self) -> None:
        self.delay = 0.0
        self._open.set()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            behind, before = await asyncio.open_connection(LOOPBACK, self.to(), limit=CHUNK)
        except OSError:
            self._close(writer)
            return
        self._writers.add(before)
        try:
            await asyncio.gather(self._pump(reader, before), self._pump(behind, writer))
        finally:
            self._close(writer)
            self._close(before)

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while piece := await reader.read(CHUNK):
                if self.delay:
                    await asyncio.sleep(self.delay)
                await self._open.wait()
                writer.write(piece)
                await writer.drain()
        writer.close()

    def _close(self, writer: asyncio.StreamWriter) -> None:
        self._writers.discard(writer)
        writer.close()


def _reset(writer: asyncio.StreamWriter) -> None:
    if not writer.is_closing():
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        writer.transport.abort()
