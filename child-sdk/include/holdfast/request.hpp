#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <stop_token>
#include <string_view>
#include <utility>

namespace holdfast {

struct SessionState;
struct WorkState;

/// One request in flight, from Worker::begin_request. It is counted and named until this object is destroyed. The drain
/// waits for it, and the drain report names it. Movable, not copyable; may be ended on a different thread than it was
/// begun on. May outlive the Worker. Eight bytes.
class Request {
  public:
    Request() = default;  ///< an empty object
    /// Takes over the request; `other` is left empty.
    Request(Request&& other) noexcept : slot_(std::exchange(other.slot_, nullptr)) {}
    /// Ends its own request and takes over the other one.
    Request& operator=(Request&& other) noexcept {
        if (this != &other) {
            end();
            slot_ = std::exchange(other.slot_, nullptr);
        }
        return *this;
    }
    ~Request() { end(); }

    /// Ends the request before the scope ends. Further calls do nothing.
    void end() {
        if (slot_ != nullptr) give_back(std::exchange(slot_, nullptr));
    }

  private:
    friend class Worker;
    explicit Request(void* slot) : slot_(slot) {}
    static void give_back(void* slot);

    void* slot_ = nullptr;
};

/// Something that lasts longer than a request, from Worker::begin_session: a stream, a WebSocket, a tunnel, an open
/// connection. A session need not end by itself, so a drain asks it to leave: its stop token is requested when the
/// drain begins, and it has its own deadline. Movable, not copyable; may be ended on any thread, and may outlive the
/// Worker.
class Session {
  public:
    Session() = default;                    ///< an empty object
    Session(Session&&) noexcept = default;  ///< leaves the other object empty
    /// Ends its own session and takes over the other one.
    Session& operator=(Session&& other) noexcept;
    ~Session();

    /// Ends the session before the scope ends. Further calls do nothing.
    void end();

    /// Requested when the worker drains, on the thread that runs callbacks. It stays requested if the drain is taken
    /// back, because the client may have been told already.
    std::stop_token stop_token() const;

    /// Changes the name that is shown to people; cut after 64 bytes. For a session that an adapter began.
    void set_name(std::string_view name);

    /// Changes the period that begin_session() was given: the session must have left that long after it was asked to.
    /// Measured from the time at which it was asked, which may have passed.
    void set_leave_within(std::chrono::milliseconds period);

    /// When the session must have left: the period given to begin_session after it was asked to leave, or else the end
    /// of the stage. Nothing until it is asked. After the deadline it is reported as overdue, and delays only the
    /// resources that sessions use.
    std::optional<std::chrono::steady_clock::time_point> deadline() const;

  private:
    friend class Worker;
    explicit Session(std::shared_ptr<SessionState> state);

    std::shared_ptr<SessionState> state_;
};

/// An item of work taken from a queue, from Worker::hold_work. If it is destroyed unclaimed, or is unclaimed at the
/// cancel, its `hand_back` is called once to put the item back into its queue, and the item is counted as handed back.
/// Resources that items of work use stay open until the item has been released or handed back.
class Work {
  public:
    Work() = default;                 ///< an empty object
    Work(Work&&) noexcept = default;  ///< leaves the other object empty
    /// Hands its own item back if it is unfinished, and takes over the other one.
    Work& operator=(Work&& other) noexcept;
    ~Work();

    /// The result of claim() and finish().
    enum class Outcome {
        ours,        ///< commit it: hand_back will not be called any more
        handed_back  ///< it was handed back meanwhile (at the cancel) and will be done elsewhere: do not commit
    };

    /// Claims the item; call it before a step that must not happen twice. The item will not be handed back any more,
    /// and stays held. Further calls return the same.
    Outcome claim();

    /// Claims the item as claim() does, and releases it; call it when the item is done. Further calls return
    /// handed_back.
    Outcome finish();

  private:
    friend class Worker;
    explicit Work(std::shared_ptr<WorkState> state);

    std::shared_ptr<WorkState> state_;
};

}  // namespace holdfast
