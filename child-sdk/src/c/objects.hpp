#pragma once

#include <unistd.h>

#include <atomic>
#include <condition_variable>
#include <functional>
#include <holdfast/acceptor.hpp>
#include <holdfast/worker.hpp>
#include <map>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string_view>
#include <utility>

#include "handle_table.hpp"
#include "holdfast_exported.hpp"
#include "unique_fd.hpp"

// The objects that the handles of holdfast.h stand for. A request has none: its handle stands for its slot.

namespace holdfast::c {

struct WorkerObject {
    explicit WorkerObject(WorkerOptions options) : worker(std::move(options)) {}

    const pid_t pid = ::getpid();
    std::atomic<int> waiters = 0;    // threads in holdfast_wait() or holdfast_dispatch()
    std::atomic<int> acceptors = 0;  // that exist
    // The resources of this worker by their number: any other number is an error. Tasks are numbered from 1 on, so the
    // last number tells which ones exist or existed.
    std::mutex mutex;
    std::map<holdfast_user, Resource> resources;
    std::uint32_t last_task = 0;
    Worker worker;  // last: its tasks may use the other members until it is destroyed
};

struct ListenerObject {
    Listener listener;
};

// Counts something while it exists.
class Counted {
  public:
    explicit Counted(std::atomic<int>& count) : count_(count) { ++count_; }
    ~Counted() { --count_; }
    Counted(const Counted&) = delete;
    Counted& operator=(const Counted&) = delete;

  private:
    std::atomic<int>& count_;
};

struct AcceptorObject {
    AcceptorObject(WorkerObject& worker, Listener listener, Acceptor::Accepted accepted)
        : counted(worker.acceptors), acceptor(worker.worker, std::move(listener), std::move(accepted)) {}

    const pid_t pid = ::getpid();
    const Counted counted;  // the worker is not freed before its acceptors
    Acceptor acceptor;
};

// The callback is destroyed before the session; its destructor waits for a call that runs on another thread.
struct SessionObject {
    explicit SessionObject(Session begun) : session(std::move(begun)) {}

    Session session;
    // A callback may end its session while it is being added: at once on the adding thread, or on the thread that
    // requests the stop. The adding thread then destroys it.
    enum class Callback { none, being_added, added };
    std::atomic<Callback> callback = Callback::none;
    std::optional<std::stop_callback<std::function<void()>>> on_leave;
};

struct WorkObject {
    Work work;
};

// The descriptor is created on demand.
struct StopObject {
    explicit StopObject(std::stop_token given) : token(std::move(given)) {}

    std::stop_token token;
    std::mutex mutex;
    std::condition_variable_any changed;
    UniqueFd fd;
    std::optional<std::stop_callback<std::function<void()>>> on_stop;  // last: destroyed first
};

// Which handle stands for which object, and what messages call it.
template <class Handle>
struct HandleTraits;

template <>
struct HandleTraits<holdfast_worker> {
    using Object = WorkerObject;
    static constexpr Kind kind = Kind::worker;
    static constexpr std::string_view name = "worker";
};
template <>
struct HandleTraits<holdfast_listener> {
    using Object = ListenerObject;
    static constexpr Kind kind = Kind::listener;
    static constexpr std::string_view name = "listener";
};
template <>
struct HandleTraits<holdfast_acceptor> {
    using Object = AcceptorObject;
    static constexpr Kind kind = Kind::acceptor;
    static constexpr std::string_view name = "acceptor";
};
template <>
struct HandleTraits<holdfast_request> {
    using Object = void;
    static constexpr Kind kind = Kind::request;
    static constexpr std::string_view name = "request";
};
template <>
struct HandleTraits<holdfast_session> {
    using Object = SessionObject;
    static constexpr Kind kind = Kind::session;
    static constexpr std::string_view name = "session";
};
template <>
struct HandleTraits<holdfast_work> {
    using Object = WorkObject;
    static constexpr Kind kind = Kind::work;
    static constexpr std::string_view name = "work";
};
template <>
struct HandleTraits<holdfast_stop> {
    using Object = StopObject;
    static constexpr Kind kind = Kind::stop;
    static constexpr std::string_view name = "stop";
};

}  // namespace holdfast::c
