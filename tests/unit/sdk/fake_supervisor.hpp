#pragma once

#include <sys/socket.h>

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

constexpr std::chrono::seconds long_enough{20};  // timeout for conditions, sufficient on a loaded machine

// The supervisor's end of a control pipe, in this process, and a listener "http" on 127.0.0.1 (or on an abstract unix
// address) for the worker, which inherits descriptor 3: what had that number before is elsewhere until this object is
// destroyed. Sets the environment for the next Worker, and removes the rest of it when it is destroyed.
class FakeSupervisor {
  public:
    explicit FakeSupervisor(int listener_family = AF_INET);
    ~FakeSupervisor();
    FakeSupervisor(const FakeSupervisor&) = delete;
    FakeSupervisor& operator=(const FakeSupervisor&) = delete;

    void send_command(const Command& command);
    void send_stage(Stage stage, std::chrono::milliseconds time_left = std::chrono::minutes(1));
    void send(std::string_view bytes);
    void hang_up();

    // Waits until the worker has read everything that was sent. It may handle it a moment later.
    void wait_until_read() const;

    // Reads reports until one satisfies the predicate, and returns it; drops the ones before. Fails the test and
    // returns an empty report if none comes.
    Report wait_for(const std::function<bool(const Report&)>& predicate);

    // Returns all reports that are queued. Complete only after an event that follows the last report.
    std::vector<Report> received();

    int worker_fd() const { return worker_fd_; }

  private:
    std::optional<Report> next(std::chrono::milliseconds timeout);
    void pass_listener(int family);
    void take_back_number();

    int fd_ = -1;
    int worker_fd_ = -1;
    int moved_fd_ = -1;  // what had the number of the listener before
};

// Runs Worker::wait() on another thread, as main would.
class Waiter {
  public:
    explicit Waiter(Worker& worker);
    bool is_over();
    int status();

  private:
    std::future<int> result_;
};

// Returns the message of the std::logic_error that the function throws.
template <class Function>
std::string misuse(Function function) {
    try {
        function();
    } catch (const std::logic_error& error) {
        return error.what();
    }
    return "nothing was thrown";
}

// Waits until the condition is true, with the usual timeout.
bool eventually(const std::function<bool()>& condition);

}  // namespace holdfast::testing
