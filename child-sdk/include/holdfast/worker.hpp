#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <holdfast/listener.hpp>
#include <holdfast/request.hpp>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

namespace holdfast {

struct Inherited;

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
/// Stages. The supervisor tells them (PROTOCOL.md); a worker that stands alone takes SIGTERM and SIGINT for the drain,
/// a second one (1 s later at least) for the cancel, and keeps the deadlines of HOLDFAST_GRACE_PERIOD (30s) and
/// HOLDFAST_CANCEL_PERIOD (5s) itself. A drain is: the on_drain callbacks; then requests and sessions end; then tasks
/// are asked to stop and joined; then resources are closed, the last one first; then wait() returns. Until the first
/// task is asked or the first resource closed, the supervisor can take the drain back (on_run).
/// A stage that is told before ready() or wait() is called waits for that: the program is still being put together.
///
/// Threads. Every function may be called from any thread. One helper thread listens; callbacks and closes run on a
/// thread that exists from the first stage on, one after the other; cancel callbacks on one more, so that a drain that
/// hangs can be cancelled. At rest nothing wakes up.
///
/// Signals. The constructor installs handlers for SIGTERM and SIGINT (with SA_RESTART; one that was ignored stays
/// ignored), the destructor puts the former ones back. No signal is blocked in any thread of the program. Under a
/// supervisor the two signals ask it for a stop (STOPPING=1) and end nothing.
///
/// Fork. A forked child of a worker is not the worker: there begin_request() counts nothing, and everything else that
/// speaks or waits throws; the signals have their default effect again.
///
/// Errors. Misuse throws std::logic_error (a wrong address std::invalid_argument), what the system refuses
/// std::system_error; each message says what to do.
class Worker {
  public:
    using Clock = std::chrono::steady_clock;  ///< CLOCK_MONOTONIC, which the supervisor uses as well

    /// Joins the supervisor that started this process, or stands alone. Changes the environment (takes what was meant
    /// for this process out of it), so: first in main, before there are threads. One at a time in a process.
    Worker();

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
    /// @{
    /// Still serve and accept, but look unready to health probes.
    void on_lame_duck(std::function<void()> callback);
    /// Stop accepting, and return when the accept queue has been emptied: the supervisor is told so then. Serve what is
    /// open; keep everything.
    void on_pause(std::function<void()> callback);
    /// As on_pause; then finish what is in flight, and close idle connections.
    void on_drain(std::function<void()> callback);
    /// Accept again: the pause or the drain is taken back. The supervisor is told when all have returned.
    void on_run(std::function<void()> callback);
    /// The grace period is over: abandon what is left.
    void on_cancel(std::function<void()> callback);
    /// @}

    /// Runs `task` on a thread of its own. The drain asks it to stop when no request is left (the cancel at once), and
    /// joins it. An exception that leaves it ends the process, as with std::thread. Throws once resources are released.
    void start_task(std::string name, std::function<void(std::stop_token)> task);

    /// Calls `close` when nothing uses the resource any more: after requests and tasks have ended, and after all that
    /// was added later. An exception is reported by name and stops nothing else; wait() returns 3 then.
    void close_last(std::string name, std::function<void()> close);

    /// Counts a request until the returned object dies. `name` is for people ("GET /report"), cut at 64 bytes. Fine
    /// while draining; throws once resources are released, because they are what the request would use.
    [[nodiscard]] Request begin_request(std::string_view name);

    /// The same for what is no request, but must end before resources are closed.
    [[nodiscard]] Session begin_session(std::string_view name);

    /// Serving from now on. Once; a second call throws.
    void ready();

    /// The program's own wish to stop: the same as SIGTERM.
    void stop();

    /// Waits until everything is released. 0: it was, in time. 3: the cancel found something still held, a close threw,
    /// or (alone) the last deadline passed; the latter two are reported on stderr, by name.
    int wait();

    /// Whether this process is to leave: answer with "Connection: close". One relaxed load.
    bool draining() const { return draining_->load(std::memory_order_relaxed); }

    /// When the present stage ends; nothing while serving.
    std::optional<Clock::time_point> deadline() const;

    /// Whether a supervisor gives the commands.
    bool is_supervised() const;

  private:
    class Impl;
    static Listener adopt(Inherited inherited, std::string_view name);

    std::unique_ptr<Impl> impl_;
    const std::atomic<bool>* draining_;
};

}  // namespace holdfast
