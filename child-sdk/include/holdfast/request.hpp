#pragma once

#include <memory>

namespace holdfast {

class Conductor;

/// Something that is held by name as long as this object lives: the drain waits for it, and the drain report names it.
/// Movable, not copyable; may be ended on another thread than it was begun on. May outlive the Worker.
class Held {
  public:
    Held() = default;  ///< holds nothing
    Held(Held&& other) noexcept;
    Held& operator=(Held&& other) noexcept;
    ~Held();

    /// Lets go before the scope ends. Again: nothing happens.
    void end();

  private:
    friend class Conductor;
    Held(std::shared_ptr<Conductor> conductor, void* entry);

    std::shared_ptr<Conductor> conductor_;
    void* entry_ = nullptr;
};

/// One request in flight, from Worker::begin_request: counted, named, released by scope.
class Request : public Held {
  public:
    Request() = default;

  private:
    friend class Worker;
    explicit Request(Held held) : Held(std::move(held)) {}
};

/// Something longer than a request (a stream, an idle connection that may still ask), from Worker::begin_session.
class Session : public Held {
  public:
    Session() = default;

  private:
    friend class Worker;
    explicit Session(Held held) : Held(std::move(held)) {}
};

}  // namespace holdfast
