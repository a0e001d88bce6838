"""A worker for test_lifetimes.py: `subject_lifetimes.py KIND`. Each kind prints a line for each event."""
import asyncio
import functools
import gc
import random
import sys
import threading
import time
import weakref

from program import emit, holdfast, serve

ITEMS = 20
CHOICES = "finish", "claim", "drop", "lose", "cycle"


def cancelled_work():
    """While the first item is handed back, the worker tries to finish or drop those whose turn comes next."""
    worker, is_back, is_finished = holdfast.Worker(), threading.Event(), threading.Event()

    def hand_back(number):
        if number == 0:
            is_back.set()
            is_finished.wait()
        emit(f"back {number}")

    items = [worker.work(f"job {number}", lambda number=number: hand_back(number)) for number in range(ITEMS)]

    def consume(stop):
        is_back.wait()
        for number, item in enumerate(items[1:], 1):
            item.end() if number % 2 else emit(f"finish {number}: {item.finish()}")
        is_finished.set()

    worker.start_task("consumer", consume)
    return serve(worker)


def random_work():
    """Threads and coroutines hold items and do with each what the seed says. Says at the end what became of them."""
    seed, committed, back, taken = int(sys.argv[2]), [], [], []

    def use(item, number, choice):
        """Uses the item, or leaves it to the garbage collector."""
        if choice == "claim" and item.claim():
            committed.append(number)
            item.end()
        elif choice == "finish" and item.finish():
            committed.append(number)
        elif choice == "drop":
            item.end()
        elif choice == "cycle":
            cycle = [item]
            cycle.append(cycle)

    def items(worker, first, hand_back):
        """Holds up to 20 items at a time, and uses them in random order. Yields after each step."""
        chooses, held = random.Random(seed + first), []
        for number in range(first, first + 200):
            try:
                held.append((worker.work(f"job {number}", functools.partial(hand_back, number)), number))
            except holdfast.HoldfastError:
                break  # the worker has been released
            taken.append(number)
            yield
            while len(held) > 20 or (held and chooses.random() < 0.3):
                use(*held.pop(chooses.randrange(len(held))), chooses.choice(CHOICES))
                yield
        for item, number in held:
            use(item, number, chooses.choice(CHOICES))
            yield

    async def main():
        worker = holdfast.Worker()

        async def return_async(number):
            await asyncio.sleep(0)
            back.append(number)

        def return_item(number):
            time.sleep(0)  # lets other threads run
            back.append(number)

        def consume(stop, first):
            for _ in items(worker, first, return_item):
                time.sleep(0)

        async def consume_async(first):
            for _ in items(worker, first, return_async):
                await asyncio.sleep(0)

        for first in (0, 1000):
            worker.start_task(f"threads {first}", functools.partial(consume, first=first), need="finite")
            worker.start_task(f"coroutines {first}", functools.partial(consume_async, first + 500), need="finite")
        worker.ready()
        waits = asyncio.ensure_future(worker.wait_async())
        while not (await asyncio.wait([waits], timeout=0.01))[0]:
            gc.collect()

    asyncio.run(main())
    emit(f"taken {len(taken) == len(set(taken))}, {sorted(taken) == sorted(committed + back)}")
    return 0


def released_functions():
    """Names the callbacks that are still alive when C can no longer call them."""
    worker, alive = holdfast.Worker(), {}

    def watched(name, function=lambda *_: None):
        def callback(*arguments):
            return function(*arguments)

        alive[name] = weakref.ref(callback)
        return callback

    def emit_alive(when):
        gc.collect()
        emit(f"{when}: {[name for name, callback in alive.items() if callback() is not None]}")

    item = worker.work("job", watched("finished item"))
    item.finish()
    item = worker.work("job", watched("claimed item"))
    item.claim()
    item.end()
    item = worker.work("job", watched("dropped item"))
    item.end()
    session = worker.session("stream")
    session.on_leave(watched("ended session"))
    try:
        session.on_leave(watched("second callback"))
    except holdfast.HoldfastError:
        pass
    session.end()
    emit_alive("before ready")

    has_ended = threading.Event()
    worker.on_lame_duck(watched("stage"))
    worker.accept_on(worker.listen("http", "127.0.0.1:0"), watched("acceptor"))
    worker.resource("pool", watched("resource"))
    worker.start_task("consumer", watched("task", lambda stop: has_ended.set() or stop.wait()))
    session = worker.session("stream")
    session.on_leave(watched("session that leaves", lambda: session.end()))
    held = worker.work("job", watched("item that is held"))
    worker.ready()
    has_ended.wait()
    emit_alive("serving")
    held.end()
    worker.stop()
    worker.wait()
    try:
        worker.work("job", watched("refused item"))
    except holdfast.HoldfastError:
        pass
    emit_alive("released")
    worker.close()
    emit_alive("closed")
    return 0


def leaves_at_once():
    """A session that begins in the drain is asked to leave when the function is registered, and ends in it."""
    worker, keeps = holdfast.Worker(), None

    def drain():
        threading.Thread(target=begin).start()

    def begin():
        while not keeps.has_to_leave:
            pass
        session = worker.session("late")
        session.on_leave(lambda: session.end() or emit(f"late leaves, {session.has_to_leave}, {session.deadline}"))
        keeps.end()

    keeps = worker.session("early")
    worker.on_drain(drain)
    return serve(worker)


def closed_in_a_callback():
    worker = holdfast.Worker()

    @worker.on_drain
    def drain():
        for function in (worker.close, worker.wait):
            try:
                function()
            except holdfast.HoldfastError as error:
                emit(f"refused, {'stop()' in str(error)}")

    return serve(worker)


def posted_functions():
    """A function that the program posts twice runs once."""
    errors = []

    def post(run):
        run()
        try:
            run()
        except IndexError:
            errors.append("refused")

    with holdfast.Worker(post=post) as worker:
        worker.on_drain(lambda: emit("drain"))
        worker.ready()
        worker.stop()
        status = worker.wait()
    emit(f"{set(errors)}")
    return status


def garbage():
    """What is garbage-collected ends on another thread: this one may hold a lock that hand_back() needs."""
    worker, is_back = holdfast.Worker(), threading.Event()

    def hand_back():
        emit(f"handed back, {'here' if threading.current_thread() is threading.main_thread() else 'elsewhere'}")
        is_back.set()

    cycle = [worker.work("job", hand_back)]
    cycle.append(cycle)
    del cycle
    gc.collect()
    is_back.wait()
    request, session = worker.request("GET /"), worker.session("stream")
    del request, session
    worker.ready()
    worker.stop()
    return worker.wait()


def ended_twice():
    """Threads end and ask the same handles at the same time."""
    worker, handles = holdfast.Worker(), []
    both, errors = threading.Barrier(2), []

    def use():
        for index in range(300):
            both.wait()
            request, session, item = handles[index]
            try:
                session.has_to_leave, session.deadline
                request.end()
                session.end()
                item.end()
            except Exception as error:
                errors.append(error)

    handles = [(worker.request("r"), worker.session("s"), worker.work("w", lambda: None)) for _ in range(300)]
    threads = [threading.Thread(target=use) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    held = worker.report()
    emit(f"{errors}, {held.requests} requests, {held.sessions} sessions, {held.handed_back} handed back")
    worker.ready()
    worker.stop()
    return worker.wait()


sys.exit(globals()[sys.argv[1]]())
