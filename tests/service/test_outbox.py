"""Messages to riders: sent until they are taken, and signed."""

from __future__ import annotations

from dispatch.service.outbox import HELD, Message, signature
from tests.faults import town
from tests.service.stores import Post, dispatching, embedded, emptied, run, until


def test_messages_are_delivered_again_until_they_are_taken() -> None:
    """By the same dispatcher after a failure, by the next one after a crash; then they leave the store."""

    async def test() -> None:
        async with embedded() as started:
            post = Post()
            post.fails = 2
            async with dispatching(started, post=post) as dispatcher:
                await dispatcher.submit(town.book("r1", 1))
                await dispatcher.submit(lambda *_: [], messages=lambda *_: [Message("log", "r", "code")])
                await until(lambda: len(post.taken) == 2)
                await emptied(dispatcher)
                assert dispatcher.outbox.counts.failed == 2
                assert {m.kind for m in post.taken} == {"booked", "code"}
                assert len({m.id for m in post.taken}) == 2
            never, post = Post(), Post()
            never.fails = 10_000
            async with dispatching(started, post=never) as dispatcher:
                done = await dispatcher.submit(town.book("r2", 2))
                await until(lambda: dispatcher.outbox.counts.failed > 0)  # it was under way when the service ended
            async with dispatching(started, post=post) as dispatcher:
                await emptied(dispatcher)
                assert [(m.kind, m.seq) for m in post.taken] == [("booked", done.seq)]

    run(test)


def test_more_messages_than_are_held_at_once_all_leave() -> None:
    """Those of one commit, in the order of the store, while others are still being delivered."""

    async def test() -> None:
        async with embedded() as started:
            post, count = Post(), 2 * HELD + 7
            async with dispatching(started, post=post) as dispatcher:
                many = [Message("log", "r", "code", values={"n": n}) for n in range(count)]
                await dispatcher.submit(lambda *_: [], messages=lambda *_: many)
                await until(lambda: len(post.taken) == count)
                await emptied(dispatcher)
                assert {m.values["n"] for m in post.taken} == set(range(count))

    run(test)


def test_a_signature_can_be_checked() -> None:
    """As a receiver would: over the time and the body it got."""
    import hashlib
    import hmac

    said = signature(b'{"a":1}', "secret", 1_700_000_000)
    stamp, code = (part.split("=")[1] for part in said.split(","))
    assert hmac.new(b"secret", f"{stamp}.".encode() + b'{"a":1}', hashlib.sha256).hexdigest() == code
    assert signature(b'{"a":2}', "secret", 1_700_000_000) != said
