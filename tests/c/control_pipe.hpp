#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::testing {

constexpr std::chrono::seconds long_enough{20};  // for a fact to come true on a loaded machine

// A supervisor as the protocol has it, in words: these tests link the shared library alone, with nothing of its C++.
class ControlPipe {
  public:
    ControlPipe();  // sets the environment for the next worker
    ~ControlPipe();
    ControlPipe(const ControlPipe&) = delete;
    ControlPipe& operator=(const ControlPipe&) = delete;

    void tell(std::string_view stage, std::chrono::milliseconds time_left = std::chrono::minutes(1)) const;
    // Reads until a message has this line; returns the message. Fails the test if none comes.
    std::string wait_for(std::string_view line) const;

  private:
    int fd_ = -1;
};

// A descriptor becomes readable in time.
bool becomes_readable(int fd);

// What callbacks did, in order: a test waits for the next word, or for all of them.
class CallRecorder {
  public:
    CallRecorder();
    ~CallRecorder();
    CallRecorder(const CallRecorder&) = delete;
    CallRecorder& operator=(const CallRecorder&) = delete;

    void write(std::string_view word) const;
    std::string next() const;
    // What was written and not read yet.
    std::vector<std::string> rest() const;

  private:
    int read_fd_ = -1, write_fd_ = -1;
};

}  // namespace holdfast::testing
