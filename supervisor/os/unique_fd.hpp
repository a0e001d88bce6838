#pragma once

#include <unistd.h>

#include <utility>

namespace holdfast::os {

// Owns one descriptor, or none (-1), and closes it. A raw `int …_fd` elsewhere never owns.
class UniqueFd {
  public:
    UniqueFd() = default;
    explicit UniqueFd(int fd) noexcept : fd_(fd) {}
    UniqueFd(UniqueFd&& other) noexcept : fd_(other.release()) {}
    UniqueFd& operator=(UniqueFd&& other) noexcept {
        if (this != &other) reset(other.release());
        return *this;
    }
    UniqueFd(const UniqueFd&) = delete;
    UniqueFd& operator=(const UniqueFd&) = delete;
    ~UniqueFd() { reset(); }

    int get() const noexcept { return fd_; }
    explicit operator bool() const noexcept { return fd_ >= 0; }
    // The caller owns the descriptor from here on.
    [[nodiscard]] int release() noexcept { return std::exchange(fd_, -1); }
    // errno survives, so that a failure can be told after its descriptors are closed.
    void reset(int fd = -1) noexcept;

  private:
    int fd_ = -1;
};

}  // namespace holdfast::os
