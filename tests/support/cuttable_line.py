"""A line between a browser and a server that a test can cut, or make lose what goes one way.

Cutting alone would leave it to luck whether a click had arrived. So a test first lets the line lose one direction,
clicks, looks at the database, and cuts then: the browser learns of nothing but the break.
"""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

_CHUNK_BYTES = 65_536


class CuttableLine:
    """Passes bytes on to a server's port."""

    def __init__(self, *, port: int, leads_to: int) -> None:
        """Prepare a whole line.

        Args:
            port: Where browsers connect.
            leads_to: Where the server listens.
        """
        self.port = port
        self.leads_to = leads_to
        self._is_cut = False
        self._loses_questions = False
        self._loses_answers = False
        self.lost_byte_count = 0
        """What it has lost since it was whole."""
        self._ends: set[asyncio.StreamWriter] = set()
        self._loop = asyncio.new_event_loop()

    @property
    def url(self) -> str:
        """What browsers go to."""
        return f"http://127.0.0.1:{self.port}"

    def lose_questions(self) -> None:
        """Let nothing arrive at the server from now on, and let the browser believe that it did."""
        self._loses_questions = True

    def lose_answers(self) -> None:
        """Let everything arrive at the server from now on, and no answer at the browser."""
        self._loses_answers = True

    def cut(self) -> None:
        """Break every connection, and refuse new ones."""
        self._is_cut = True
        self._loop.call_soon_threadsafe(self._break)

    def mend(self) -> None:
        """Be a whole line again, for new connections."""
        self._is_cut = self._loses_questions = self._loses_answers = False
        self.lost_byte_count = 0

    @contextmanager
    def open(self) -> Iterator[None]:
        """Listen until the block ends."""
        server = self._loop.run_until_complete(asyncio.start_server(self._carry, "127.0.0.1", self.port))
        thread = threading.Thread(target=self._loop.run_forever)
        thread.start()
        try:
            yield
        finally:
            self.cut()
            self._loop.call_soon_threadsafe(server.close)
            self._loop.call_soon_threadsafe(self._loop.stop)
            thread.join()
            for task in asyncio.all_tasks(self._loop):
                task.cancel()
            self._loop.run_until_complete(asyncio.sleep(0.01))
            self._loop.close()

    def _break(self) -> None:
        for end in list(self._ends):
            end.transport.abort()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Join one connection to the server."""
        if self._is_cut:
            writer.transport.abort()
            return
        self._ends.add(writer)  # before anything is awaited: a cut that misses it loses its answers in silence
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self.leads_to)
        ends = {writer, far_writer}
        self._ends |= ends
        try:
            await asyncio.gather(
                self._pass_on(reader, far_writer, is_question=True),
                self._pass_on(far_reader, writer, is_question=False),
            )
        finally:
            self._ends -= ends

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, is_question: bool) -> None:
        """Pass one direction on until its end."""
        with suppress(ConnectionError):
            while chunk := await reader.read(_CHUNK_BYTES):
                if self._loses_questions if is_question else self._loses_answers:
                    self.lost_byte_count += len(chunk)
                    continue
                writer.write(chunk)
                await writer.drain()
        writer.transport.abort()
