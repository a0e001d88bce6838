#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <stop_token>
#include <utility>

namespace holdfast {

struct SessionState;
struct WorkState;

/// One request in flight, from Worker::begin_request: counted, named, and released when this object dies. The drain
/// waits for it, and the drain report names it. Movable, not copyable; may be ended on another thread than it was begun
/// on. May outlive the Worker. Eight bytes.
class Request {
  public:
    Request() = default;  ///< holds nothing
    /// Takes over; the other holds nothing then.
    Request(Request&& other) noexcept : slot_(std::exchange(other.slot_, nullptr)) {}
    /// Ends its own, and takes over.
    Request& operator=(Request&& other) noexcept {
        if (this != &other) {
            end();
            slot_ = std::exchange(other.slot_, nullptr);
        }
        return *this;
    }
    ~Request() { end(); }

    /// Lets go before the scope ends. Again: nothing happens.
    void end() {
        if (slot_ != nullptr) give_back(std::exchange(slot_, nullptr));
    }

  private:
    friend class Worker;
    explicit Request(void* slot) : slot_(slot) {}
    static void give_back(void* slot);

    void* slot_ = nullptr;
};

/// Something longer than a request, from Worker::begin_session: a stream, a WebSocket, a tunnel, an open connection.
/// It has no end of its own that a drain could wait for, so it is told to leave: its stop token is requested when the
/// drain begins, and it has a deadline of its own. Movable, not copyable; may be ended on any thread, and may outlive
/// the Worker.
class Session {
  public:
    Session() = default;                    ///< holds nothing
    Session(Session&&) noexcept = default;  ///< the other holds nothing then
    /// Ends its own, and takes over.
    Session& operator=(Session&& other) noexcept;
    ~Session();

    /// Lets go before the scope ends. Again: nothing happens.
    void end();

    /// Requested when the worker drains (on the thread that runs callbacks) and stays requested even if the drain is
    /// taken back: what was told to leave leaves.
    std::stop_token stop_token() const;

    /// When it is to have left: what was given to begin_session, or else the end of the stage. Nothing until told.
    /// Later it is named as overdue, and holds back only the resources that sessions use.
    std::optional<std::chrono::steady_clock::time_point> deadline() const;

  private:
    friend class Worker;
    explicit Session(std::shared_ptr<SessionState> state);

    std::shared_ptr<SessionState> state_;
};

/// An item of work taken from a queue, from Worker::hold_work. If it dies unclaimed, or is unclaimed at the cancel, its
/// `hand_back` is called, once: the item goes back to where it came from, and is counted. What work uses stays open
/// until the item is let go of, or has gone back.
class Work {
  public:
    Work() = default;                 ///< holds nothing
    Work(Work&&) noexcept = default;  ///< the other holds nothing then
    /// Hands its own back, if it is unfinished, and takes over.
    Work& operator=(Work&& other) noexcept;
    ~Work();

    /// What finish() says.
    /// Of claim() and finish().
    enum class Outcome {
        ours,        ///< commit it: hand_back will not be called any more
        handed_back  ///< it was put back meanwhile (the cancel): somebody else will do it; do not commit
    };

    /// Before what cannot be done twice: from now on the item will not go back. It is held on. Again: the same.
    Outcome claim();

    /// claim(), and lets go of it: when all is done. Later calls say handed_back.
    Outcome finish();

  private:
    friend class Worker;
    explicit Work(std::shared_ptr<WorkState> state);

    std::shared_ptr<WorkState> state_;
};

}  // namespace holdfast
