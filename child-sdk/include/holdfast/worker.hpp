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
#include <holdfast/task.hpp>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

/// The holdfast SDK: everything that a worker needs to be restarted and stopped without losing requests.
namespace holdfast {

struct InheritedListener;

/// Options of a Worker. Environment variables, which belong to the operator, override the three periods,
/// keep_alive_min and health: HOLDFAST_LAME_DUCK, HOLDFAST_GRACE_PERIOD, HOLDFAST_CANCEL_PERIOD,
/// HOLDFAST_KEEP_ALIVE_MIN (durations such as "500ms", "30s", "5m", "1h"), HOLDFAST_HEALTH ("127.0.0.1:9901").
/// A period must be between 0 and one year.
struct WorkerOptions {
    /// @name Deadlines of a standalone worker. A supervisor sends its own.
    /// @{
    std::chrono::milliseconds lame_duck{0};          ///< keep serving, but fail health probes; 0: no such stage
    std::chrono::milliseconds grace_period{30'000};  ///< time to finish
    std::chrono::milliseconds cancel_period{5'000};  ///< time to abandon what is left
    /// @}

    /// How long an idle keep-alive connection stays readable after the drain begins. Used by adapters, see
    /// Worker::keep_alive_min(). 0 closes idle connections at once, which loses requests.
    std::chrono::milliseconds keep_alive_min{1'000};

    /// Address that serves /livez and /readyz; empty: none. All workers that name the same address share it, and a
    /// probe asks about all of them: a worker that is replaced lets the others answer, and a successor joins at
    /// ready(). A worker that nobody replaces says 503 at /readyz while it leaves.
    std::string health{};

    /// Which thread runs the worker's event processing.
    enum class Drive {
        helper_thread,  ///< a thread of the SDK
        dispatch,       ///< the program's own event loop, by Worker::fd() and Worker::dispatch(); starts no thread
    };
    /// Which thread runs this worker's event processing. It also decides what a supervisor's watchdog (`--watchdog`)
    /// sees: with helper_thread, that the process is alive, even if the program's event loop hangs; with dispatch, that
    /// the event loop calls dispatch().
    Drive drive = Drive::helper_thread;

    /// What happens when the last deadline of a standalone worker has passed and something is still held.
    enum class GiveUp {
        end_process,   ///< the process ends with status 3: what is still running may use anything that main() owns
        return_status  ///< wait() returns 3; main() has one second to return, and must not destroy what is in use
    };
    GiveUp give_up = GiveUp::end_process;  ///< what happens after the last deadline; the report is written before

    /// Posts callbacks and closes to a thread of the program's choice, for example
    /// `[&](auto f) { asio::post(io, std::move(f)); }`. It is called with a function that the thread must call exactly
    /// once. Empty: they run on a thread of the SDK. Cannot be combined with Drive::dispatch, where they run in
    /// dispatch(). The thread must keep running until wait() has returned. Cancel callbacks are posted as well, so a
    /// callback that hangs on that thread delays them.
    std::function<void(std::function<void()>)> post{};
};

/// Connects a program to its supervisor, and restarts and stops it in stages. A program creates one.
///
///     holdfast::Worker worker;                                    // joins its supervisor, or stands alone
///     holdfast::Listener http = worker.listen("http", ":8080");   // inherited, or bound here when alone
///     worker.accepts([&] { server.stop_accepting(); }, [&] { server.start_accepting(); });
///     worker.start_task("consumer", [](std::stop_token stop) { consume(stop); });
///     worker.close_last("database", [&] { pool.close(); });
///     worker.ready();
///     return worker.wait();
///
/// Stages. The supervisor sends them (PROTOCOL.md). A standalone worker treats SIGTERM and SIGINT as the drain command
/// (after the lame duck, if configured) and a further signal, at least 1 s later, as the next stage; it applies the
/// deadlines of WorkerOptions itself. A drain runs in this order: the on_drain callbacks; sessions are asked to leave;
/// requests and sessions end; tasks are asked to stop and are joined, and each resource is closed when nothing uses it
/// any more; wait() returns. The supervisor can take the drain back (on_run) until the first task is asked to stop or
/// the first resource is closed. A stage that arrives before ready() or wait() is called is deferred until then,
/// because the program is still registering its callbacks.
///
/// Threads. All functions may be called from any thread. A control thread receives commands. Callbacks run one after
/// the other on a thread that exists from the first stage on (or where WorkerOptions::post takes them). Each close runs
/// on its own thread, and so do cancel callbacks, so that a callback or close that hangs can be cancelled. With
/// WorkerOptions::Drive::dispatch there are no threads except those of tasks, and everything runs in dispatch(). An
/// idle worker causes no wake-ups.
///
/// Signals. The constructor installs handlers for SIGTERM and SIGINT (with SA_RESTART; a signal that was ignored stays
/// ignored). The previous ones are restored when everything is released, or by the destructor. The two signals are
/// never blocked in the control thread (with Drive::dispatch: they are unblocked in the thread that creates the
/// worker), so they arrive even if the process was started with both blocked. Under a supervisor they do not end the
/// process; they ask the supervisor for a stop (STOPPING=1).
///
/// Fork. A forked child is not a worker: begin_request() counts nothing there, and functions that send messages or wait
/// throw. The two signals have their default effect again.
///
/// Errors. Misuse throws std::logic_error (an invalid address or duration: std::invalid_argument); system errors throw
/// std::system_error. Each message says what to do.
class Worker {
  public:
    using Clock = std::chrono::steady_clock;  ///< CLOCK_MONOTONIC, the clock that the supervisor uses

    /// Connects to the supervisor that started this process, or runs standalone if there is none. Removes this
    /// process's variables from the environment, so create it first in main, before there are other threads. A process
    /// can have one Worker at a time.
    explicit Worker(WorkerOptions options = {});

    /// Asks the tasks to stop and joins them; tasks that have not started are discarded. Does not close resources that
    /// wait() has not closed. If wait() gave up (WorkerOptions::GiveUp::return_status) and a task or callback is still
    /// running, the process exits here with status 3, because that code may use objects that would be destroyed next.
    ~Worker();

    Worker(const Worker&) = delete;
    Worker& operator=(const Worker&) = delete;

    /// Returns the inherited listener with that name (`--listen http=:8080`). A listener that was given another name is
    /// never returned. One without a name is returned if it is bound to `address`, or if it is the only one that was
    /// inherited and cannot be reached from further away than `address` (the network, this host, a unix path).
    ///
    /// A process that inherited nothing and has no supervisor binds `address`: "8080" and ":8080" (IPv6 and IPv4),
    /// "127.0.0.1:8080", "[::1]:8080", "unix:/run/app.sock", "unix:@abstract". In any other process a missing listener
    /// is an error that says how to pass it: a successor could not bind the address while this process serves it.
    /// Throws std::logic_error (no listener matches), std::invalid_argument (the address), std::system_error (bind).
    Listener listen(std::string_view name, std::string_view address);

    /// Returns an inherited listener by its name or its address. Never binds.
    Listener listener(std::string_view name_or_address);

    /// Returns the only inherited listener.
    Listener listener();

    /// Registers how to stop and to start accepting: everything that the stages pause, run and drain need. `stop` stops
    /// accepting, and returns when the accept queue is empty; open connections are served on. `start` accepts again.
    /// `stop` is called at a pause, and at a drain if it was not called before; `start` when the pause or the drain is
    /// taken back. May be called several times, for several listeners; call it before ready().
    ///
    /// Without it (and without on_pause together with on_run) the worker announces neither pause nor run to the
    /// supervisor, which then replaces it where it could have taken it back.
    void accepts(Callback stop, Callback start);

    /// @name Stage callbacks. They run in the order in which they were added. Add them before ready().
    /// A callback takes no argument or the time until the stage's deadline: `[](std::chrono::microseconds left) {...}`.
    /// @{
    /// Called at the lame-duck stage: keep serving and accepting, but fail health probes.
    void on_lame_duck(Callback callback);
    /// Called at the pause stage: stop accepting, and return when the accept queue is empty; the worker then reports
    /// this to the supervisor. Keep serving open connections and release nothing.
    void on_pause(Callback callback);
    /// Called at the drain stage: stop accepting as for on_pause, finish requests in flight, close idle connections.
    void on_drain(Callback callback);
    /// Called when a pause or a drain is taken back: accept again. The worker reports this to the supervisor after all
    /// callbacks have returned.
    void on_run(Callback callback);
    /// Called at the cancel stage: the grace period is over, abandon what is left. May run while a callback of another
    /// stage hangs, and before the drain callbacks if cancel is the first stage that is received.
    void on_cancel(Callback callback);
    /// Called when everything is released, just before wait() returns.
    void on_released(Callback callback);
    /// @}

    /// Runs `task` on its own thread, from ready() (or wait()) on; see TaskOptions. The drain asks it to stop when no
    /// request is left (the cancel does so at once) and joins it. Throws once the release of resources has begun and no
    /// other task is running.
    Task start_task(std::string name, std::function<void(std::stop_token)> task, TaskOptions options = {});

    /// Registers a resource. The drain calls `close` after all users of the resource (Resource::used_by) have been
    /// released; without users, as soon as requests and sessions have ended. If `close` throws or exceeds
    /// Resource::within, this is reported by name, the drain continues, and wait() returns 3.
    Resource resource(std::string name, std::function<void()> close);

    /// Registers a resource that requests, sessions, items of work and tasks use, and that is closed after all
    /// resources added later.
    Resource close_last(std::string name, std::function<void()> close);

    /// Counts a request as in flight until the returned object is destroyed. `name` is shown to people ("GET /report")
    /// and cut after 64 bytes. Allowed during a drain, and for as long as a task is running, because tasks count their
    /// work as requests; throws once the release of resources has begun and no task is left, because the request would
    /// use what is being closed.
    /// Costs two atomic operations from begin to end on the same thread, and does not allocate.
    [[nodiscard]] Request begin_request(std::string_view name) { return Request(begin_slot(name)); }

    /// Begins a session: something that lasts longer than a request. It is asked to leave when the drain begins, and
    /// must have left within `leave_within` of that, or by the end of the stage if no value is given. Throws as
    /// begin_request() does.
    [[nodiscard]] Session begin_session(std::string_view name,
                                        std::optional<std::chrono::milliseconds> leave_within = std::nullopt);

    /// Holds an item of work until Work::finish(). Allowed until a resource that items of work use is being closed, or
    /// everything is released, because tasks may still empty their queues. `hand_back` may run on any thread; an
    /// exception that it throws is reported.
    [[nodiscard]] Work hold_work(std::string_view name, std::function<void()> hand_back);

    /// Reports that the worker is serving. A second call throws.
    void ready();

    /// Requests a stop from within the program; the same as SIGTERM.
    void stop();

    /// Blocks until everything is released, and returns the exit status. 0: everything was released in time. 3: the
    /// cancel found something still held, a close threw or exceeded its timeout, a task ended by an exception, or an
    /// item of work was lost; the names are written to stderr. If something is still held after the last deadline
    /// (standalone), the process ends with status 3, see WorkerOptions::give_up. After the return SIGTERM and SIGINT
    /// have their previous effects again.
    int wait();

    /// @name For WorkerOptions::Drive::dispatch, instead of wait().
    /// @{
    /// Returns a file descriptor that is readable while there is something to dispatch. Level-triggered; owned by the
    /// worker.
    int fd() const;
    /// Does all pending work, including callbacks, and returns. Only callbacks, closes and the program's own tasks can
    /// make it take long.
    void dispatch();
    /// Returns the result of wait(), or nothing while wait() would block.
    std::optional<int> result() const;
    /// @}

    /// Whether this process is leaving: answer requests with "Connection: close". Costs one relaxed load.
    bool draining() const { return draining_->load(std::memory_order_relaxed); }

    /// The deadline of the current stage; nothing while the worker is serving.
    std::optional<Clock::time_point> deadline() const;

    /// Returns a report of what is held now.
    DrainReport report() const;

    /// WorkerOptions::keep_alive_min, or the value of the environment variable that overrides it.
    std::chrono::milliseconds keep_alive_min() const;

    /// Whether the worker has a supervisor.
    bool is_supervised() const;

  private:
    class Impl;
    static Listener adopt(InheritedListener inherited, std::string_view name);
    void* begin_slot(std::string_view name);  // of a request

    std::unique_ptr<Impl> impl_;
    const std::atomic<bool>* draining_;
};

}  // namespace holdfast
