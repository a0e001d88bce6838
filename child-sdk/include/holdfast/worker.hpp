#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <holdfast/callback.hpp>
#include <holdfast/listener.hpp>
#include <holdfast/report.hpp>
#include <holdfast/request.hpp>
#include <holdfast/resource.hpp>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

/// The SDK of holdfast: everything that a worker needs to be restarted and stopped without harm.
namespace holdfast {

struct InheritedListener;

/// What a Worker is made with. The environment is the operator's and wins over the three periods, keep_alive_min and
/// health: HOLDFAST_LAME_DUCK, HOLDFAST_GRACE_PERIOD, HOLDFAST_CANCEL_PERIOD, HOLDFAST_KEEP_ALIVE_MIN (durations like
/// "500ms", "30s", "5m", "1h"), HOLDFAST_HEALTH ("127.0.0.1:9901").
/// A period is 0 at least, and a year at most.
struct WorkerOptions {
    /// @name The deadlines of a worker that stands alone; a supervisor gives its own.
    /// @{
    std::chrono::milliseconds lame_duck{0};          ///< serve, but look unready; 0: none
    std::chrono::milliseconds grace_period{30'000};  ///< to finish
    std::chrono::milliseconds cancel_period{5'000};  ///< to abandon what is left
    /// @}

    /// How long an idle keep-alive connection stays readable after the worker began to leave: for adapters, see
    /// Worker::keep_alive_min(). 0 closes idle connections at once, and loses requests.
    std::chrono::milliseconds keep_alive_min{1'000};

    /// Where /livez and /readyz are served; empty: nowhere. Shared by all workers that name the same address.
    std::string health{};

    /// Who drives a worker.
    enum class Drive {
        helper_thread,  ///< a thread of the SDK
        dispatch,       ///< the program's own event loop, by Worker::fd() and Worker::dispatch(); no thread is started
    };
    /// Who drives this one, and so what a supervisor's watchdog hears (`--watchdog`): of the thread, that the process
    /// lives, whatever becomes of the program's own loop; of dispatch(), that the loop calls it.
    Drive drive = Drive::helper_thread;

    /// Where callbacks and closes run: called with a function that has to be run, once, on the thread of the program's
    /// choice, e.g. `[&](auto f) { asio::post(io, std::move(f)); }`. Empty: on a thread of the SDK. Not with
    /// Drive::dispatch, where they run in dispatch(). That thread has to run until wait() returned; cancel callbacks
    /// take the same way, so a callback that hangs there delays them.
    std::function<void(std::function<void()>)> post{};
};

/// The one object by which a program takes part in being restarted and stopped without harm.
///
///     holdfast::Worker worker;                                    // joins its supervisor, or stands alone
///     holdfast::Listener http = worker.listen("http", ":8080");   // inherited, or bound here when alone
///     worker.on_drain([&] { server.stop_accepting(); });
///     worker.start_task("consumer", [](std::stop_token stop) { consume(stop); });
///     worker.close_last("database", [&] { pool.close(); });
///     worker.ready();
///     return worker.wait();
///
/// Stages. The supervisor tells them (PROTOCOL.md); a worker that stands alone takes SIGTERM and SIGINT for the drain
/// (after the lame duck, if it has one), a second one (1 s later at least) for the next stage, and keeps the deadlines
/// of WorkerOptions itself. A drain is: the on_drain callbacks; sessions are told to leave; requests and sessions end;
/// then tasks are asked to stop and joined, and resources are closed, each when nothing uses it any more; then wait()
/// returns. Until the first task is asked or the first resource closed, the supervisor can take the drain back
/// (on_run). A stage that is told before ready() or wait() is called waits for that: the program is still being put
/// together.
///
/// Threads. Every function may be called from any thread. One control thread listens; callbacks run on a thread that
/// exists from the first stage on (or where WorkerOptions::post takes them), one after the other; each close on one of
/// its own, and cancel callbacks too, so that what hangs can be cancelled. With WorkerOptions::Drive::dispatch there is
/// no thread but those of tasks, and everything runs in dispatch(). At rest nothing wakes up.
///
/// Signals. The constructor installs handlers for SIGTERM and SIGINT (with SA_RESTART; one that was ignored stays
/// ignored), the destructor puts the former ones back. No signal is blocked in any thread of the program. Under a
/// supervisor the two signals ask it for a stop (STOPPING=1) and end nothing.
///
/// Fork. A forked child of a worker is not the worker: there begin_request() counts nothing, and everything else that
/// speaks or waits throws; the signals have their default effect again.
///
/// Errors. Misuse throws std::logic_error (a wrong address or duration std::invalid_argument), what the system refuses
/// std::system_error; each message says what to do.
class Worker {
  public:
    using Clock = std::chrono::steady_clock;  ///< CLOCK_MONOTONIC, which the supervisor uses as well

    /// Joins the supervisor that started this process, or stands alone. Changes the environment (takes what was meant
    /// for this process out of it), so: first in main, before there are threads. One at a time in a process.
    explicit Worker(WorkerOptions options = {});

    /// Asks tasks to stop and joins them; closes nothing that wait() has not closed. If wait() gave up and something
    /// still runs, the process ends here with status 3: what still runs may use what would be destroyed next.
    ~Worker();

    Worker(const Worker&) = delete;
    Worker& operator=(const Worker&) = delete;

    /// The inherited listener of that name; else the one bound to that address; else the only one, if only one was
    /// inherited. Where none was (or all are taken), binds `address` here: "8080" and ":8080" (IPv6 and IPv4),
    /// "127.0.0.1:8080", "[::1]:8080", "unix:/run/app.sock", "unix:@abstract".
    /// Throws std::logic_error if others were inherited, but none that fits.
    Listener listen(std::string_view name, std::string_view address);

    /// An inherited listener, by its name or its address; never binds.
    Listener listener(std::string_view name_or_address);

    /// The only inherited listener.
    Listener listener();

    /// @name Callbacks, in the order in which they were added. Add them before ready().
    /// A callback takes nothing, or the time that is left of its stage: `[](std::chrono::microseconds left) {...}`.
    /// @{
    /// Still serve and accept, but look unready to health probes.
    void on_lame_duck(Callback callback);
    /// Stop accepting, and return when the accept queue has been emptied: the supervisor is told so then. Serve what is
    /// open; keep everything.
    void on_pause(Callback callback);
    /// As on_pause; then finish what is in flight, and close idle connections.
    void on_drain(Callback callback);
    /// Accept again: the pause or the drain is taken back. The supervisor is told when all have returned.
    void on_run(Callback callback);
    /// The grace period is over: abandon what is left. May run beside a callback of another stage that hangs, and
    /// before those of the drain if the cancel is the first that is told.
    void on_cancel(Callback callback);
    /// Everything is released; wait() returns next.
    void on_released(Callback callback);
    /// @}

    /// Runs `task` on a thread of its own. The drain asks it to stop when no request is left (the cancel at once), and
    /// joins it. An exception that leaves it ends the process, as with std::thread. Throws once resources are released.
    Task start_task(std::string name, std::function<void(std::stop_token)> task);

    /// Has `close` called in the drain, after everything that uses the resource (Resource::used_by) was released: of
    /// nothing, as soon as requests and sessions have ended. An exception is reported by name, stops nothing else, and
    /// lets wait() return 3; so does a close that overstays Resource::within.
    Resource resource(std::string name, std::function<void()> close);

    /// The short form: a resource that requests, sessions, work and tasks use, closed after all that was added later.
    Resource close_last(std::string name, std::function<void()> close);

    /// Counts a request until the returned object dies. `name` is for people ("GET /report"), cut at 64 bytes. Fine
    /// while draining; throws once resources are released, because they are what the request would use.
    /// Two atomic operations from begin to end on the same thread, and no allocation.
    [[nodiscard]] Request begin_request(std::string_view name);

    /// Something longer than a request. Told to leave when the drain begins; to have left within `leave_within` of
    /// that, or (nothing given) by the end of the stage. Throws like begin_request().
    [[nodiscard]] Session begin_session(std::string_view name,
                                        std::optional<std::chrono::milliseconds> leave_within = std::nullopt);

    /// Takes charge of an item of work until Work::finish(). Fine until everything is released: tasks may still drain
    /// their queues. `hand_back` may run on any thread; what it throws is reported.
    [[nodiscard]] Work hold_work(std::string_view name, std::function<void()> hand_back);

    /// Serving from now on. Once; a second call throws.
    void ready();

    /// The program's own wish to stop: the same as SIGTERM.
    void stop();

    /// Waits until everything is released. 0: it was, in time. 3: the cancel found something still held, a close threw
    /// or overstayed, or (alone) the last deadline passed; that is reported on stderr, by name.
    /// After the latter the process has a second to end by itself: then it ends with 3, whatever a destructor waits
    /// for.
    int wait();

    /// @name For WorkerOptions::Drive::dispatch: instead of wait().
    /// @{
    /// Readable when there is something for dispatch() to do. Level-triggered; owned by the worker.
    int fd() const;
    /// Does what there is to do, callbacks included, and returns. Only the callbacks, closes and the program's own
    /// tasks can make it take long.
    void dispatch();
    /// What wait() would return, once it would.
    std::optional<int> result() const;
    /// @}

    /// Whether this process is to leave: answer with "Connection: close". One relaxed load.
    bool draining() const { return draining_->load(std::memory_order_relaxed); }

    /// When the present stage ends; nothing while serving.
    std::optional<Clock::time_point> deadline() const;

    /// What is held now.
    DrainReport report() const;

    /// WorkerOptions::keep_alive_min, or what the environment made of it.
    std::chrono::milliseconds keep_alive_min() const;

    /// Whether a supervisor gives the commands.
    bool is_supervised() const;

  private:
    class Impl;
    static Listener adopt(InheritedListener inherited, std::string_view name);

    std::unique_ptr<Impl> impl_;
    const std::atomic<bool>* draining_;
};

}  // namespace holdfast
