"""Channels over real sockets: what is kept for a side that does not read, and how bulk waits."""

import asyncio
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from channels import answering, is_answered, run, serving
from pairs import JOB

from scumble_bridge.asyncio_adapter import Channel, connect
from scumble_bridge.channel import ENOUGH_UNSENT, MEBIBYTE, MOST_UNSENT, MUCH_UNSENT
from scumble_bridge.connection import Connection
from scumble_bridge.messages import Accepted, Credit, Failed, Fetch, Pixels, Preview
from scumble_bridge.places import read_token


def test_a_client_that_never_reads_does_not_grow_the_core_and_is_closed(tmp_path: Path) -> None:
    most: list[int] = []
    ended = asyncio.Event()

    async def telling(channel: Channel) -> None:
        news = Preview(JOB, 0, 0, 256, 256, 256, 256, bytes(3 * 256 * 256))
        while channel.is_open:
            channel.post(news)
            most.append(channel.unsent)
            await asyncio.sleep(0)
        ended.set()

    async def work() -> None:
        async with serving(tmp_path, telling):
            client = await connect(tmp_path)
            client._transport.pause_reading()  # type: ignore[union-attr]
            await ended.wait()
            client.abort()

    run(work())
    assert ENOUGH_UNSENT < max(most) <= MOST_UNSENT + MEBIBYTE


def test_bulk_waits_for_a_client_that_never_reads(tmp_path: Path) -> None:
    most: list[int] = []
    full = asyncio.Event()

    async def delivering(channel: Channel) -> None:
        async for event in channel.events():
            if isinstance(event, Credit):
                await asyncio.wait([asyncio.create_task(_bulk(channel, most)) for _ in range(5)], timeout=0.3)
                full.set()

    async def work() -> None:
        async with serving(tmp_path, delivering):
            client = await connect(tmp_path)
            client.post(Fetch(JOB, "refined"))
            client.post(Credit(JOB, "refined", 2**30))
            client._transport.pause_reading()  # type: ignore[union-attr]
            await full.wait()
            client.abort()

    run(work())
    assert ENOUGH_UNSENT < max(most) <= ENOUGH_UNSENT + 2 * MEBIBYTE


async def _bulk(channel: Channel, most: list[int]) -> None:
    with suppress(OSError):
        while True:
            await channel.send(Pixels(JOB, "refined", 0, bytes(MEBIBYTE)))
            most.append(channel.unsent)


def test_one_who_asks_without_end_and_reads_no_answer_is_not_heard_any_more(tmp_path: Path) -> None:
    channels: list[Channel] = []

    async def watching(channel: Channel) -> None:
        channels.append(channel)
        await answering(channel)

    async def work() -> None:
        async with serving(tmp_path, watching) as path:
            client = Connection("client", read_token(tmp_path))
            reader, writer = await asyncio.open_unix_connection(str(path))
            while client.phase != "open":
                writer.write(client.outgoing())
                client.receive(await reader.read(4096))
            unknown = b'{"type":"polish"}'
            flood = (b"SCMB\1\0\0\0" + len(unknown).to_bytes(4, "big") + bytes(4) + unknown) * 1000
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(2):
                    while True:
                        writer.write(flood)
                        await writer.drain()
            assert channels[0].unsent <= MUCH_UNSENT + MEBIBYTE
            assert await is_answered(tmp_path)
            writer.transport.abort()

    run(work())


def test_two_sides_that_send_bulk_to_each_other_never_both_wait(tmp_path: Path) -> None:
    total = 64 * MEBIBYTE
    taken = {"core": 0, "client": 0}

    async def exchange(channel: Channel, side: str, stream: Any) -> None:
        async def give() -> None:
            for _ in range(total // MEBIBYTE):
                await channel.send(Pixels(JOB, stream, 0, bytes(MEBIBYTE)))

        async for event in channel.events():
            if isinstance(event, Credit):
                giving = asyncio.create_task(give())
            if isinstance(event, Pixels):
                taken[side] += len(event.data)
            if isinstance(event, Fetch):
                channel.post(Accepted(JOB, ("source",)))
                channel.post(Credit(JOB, "source", total))
            if isinstance(event, Accepted):
                channel.post(Credit(JOB, "refined", total))
            if taken[side] == total:
                await giving
                return

    async def work() -> None:
        async with serving(tmp_path, lambda channel: exchange(channel, "core", "refined")):
            client = await connect(tmp_path)
            client.post(Fetch(JOB, "refined"))
            await exchange(client, "client", "source")
            await client.close()

    run(work())
    assert taken["client"] == total


def test_a_payload_reaches_its_taker_without_more_than_a_few_pieces_waiting(tmp_path: Path) -> None:
    waited: list[int] = []

    async def slow(channel: Channel) -> None:
        channel.post(Accepted(JOB, ("source",)))
        channel.post(Credit(JOB, "source", 32 * MEBIBYTE))
        received = 0
        async for event in channel.events():
            if isinstance(event, Pixels):
                received += len(event.data)
                await asyncio.sleep(0.002)
                waited.append(channel._waiting_bytes)
            if received == 32 * MEBIBYTE:
                channel.post(Failed(None, "x", "enough"))
                return

    async def work() -> None:
        async with serving(tmp_path, slow):
            client = await connect(tmp_path)
            async for event in client.events():
                if isinstance(event, Credit):
                    for _ in range(32):
                        await client.send(Pixels(JOB, "source", 0, bytes(MEBIBYTE)))
                if isinstance(event, Failed):
                    break
            await client.close()

    run(work())
    assert 0 < max(waited) <= 3 * MEBIBYTE
