#pragma once

#include <chrono>
#include <functional>
#include <future>
#include <holdfast/message.hpp>
#include <holdfast/worker.hpp>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace holdfast::testing {

constexpr std::chrono::seconds long_enough{20};  // for a fact to come true on a loaded machine

// The other end of a control pipe, in this process. Sets the environment for the next Worker, and takes out what is
// left of it at the end.
class FakeSupervisor {
  public:
    FakeSupervisor();
    ~FakeSupervisor();
    FakeSupervisor(const FakeSupervisor&) = delete;
    FakeSupervisor& operator=(const FakeSupervisor&) = delete;

    void tell(const Command& command);
    void tell(Stage stage, std::chrono::milliseconds time_left = std::chrono::minutes(1));
    void send(std::string_view bytes);
    void hang_up();

    // Until the worker has read all that was sent. What it does with it may come a moment later.
    void wait_until_read() const;

    // Reads until a report satisfies the predicate and returns it; the ones before it are dropped. Fails the test, and
    // returns an empty report, if none comes.
    Report wait_for(const std::function<bool(const Report&)>& predicate);

    // All that was said and not yet read. Complete only after something that the worker does after saying it.
    std::vector<Report> received();

    int worker_fd() const { return worker_fd_; }

  private:
    std::optional<Report> next(std::chrono::milliseconds timeout);

    int fd_ = -1;
    int worker_fd_ = -1;
};

// Worker::wait() on another thread, as main would call it.
class Waiter {
  public:
    explicit Waiter(Worker& worker);
    bool is_over();
    int status();

  private:
    std::future<int> result_;
};

// The message of the std::logic_error that the function throws.
template <class Function>
std::string misuse(Function function) {
    try {
        function();
    } catch (const std::logic_error& error) {
        return error.what();
    }
    return "nothing was thrown";
}

// Waits for a fact without a time of its own.
bool eventually(const std::function<bool()>& fact);

}  // namespace holdfast::testing
