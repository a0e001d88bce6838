#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::testing {

constexpr std::chrono::seconds long_enough{20};  // timeout for conditions, sufficient on a loaded machine

// A supervisor that sends and receives protocol text. These tests link only the shared library, without its C++
// classes.
class ControlPipe {
  public:
    ControlPipe();  // sets the environment for the next worker
    ~ControlPipe();
    ControlPipe(const ControlPipe&) = delete;
    ControlPipe& operator=(const ControlPipe&) = delete;

    void send_stage(std::string_view stage, std::chrono::milliseconds time_left = std::chrono::minutes(1)) const;
    // Reads messages until one contains this line, and returns it. Fails the test if none comes.
    std::string wait_for(std::string_view line) const;

  private:
    int fd_ = -1;
};

// Whether the descriptor becomes readable before the timeout.
bool becomes_readable(int fd);

// Records the calls of callbacks in order. A test waits for the next one, or reads all of them.
class CallRecorder {
  public:
    CallRecorder();
    ~CallRecorder();
    CallRecorder(const CallRecorder&) = delete;
    CallRecorder& operator=(const CallRecorder&) = delete;

    void write(std::string_view text) const;
    std::string next() const;
    // What was written and has not been read.
    std::vector<std::string> rest() const;

  private:
    int read_fd_ = -1, write_fd_ = -1;
};

}  // namespace holdfast::testing
