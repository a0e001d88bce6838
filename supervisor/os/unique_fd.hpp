#pragma once

#include <unistd.h>

#include <utility>

namespace holdfast::os {

// Owns a file descriptor, or none (-1), and closes it. A plain `int …_fd` is always borrowed.
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
    // The caller owns the descriptor afterwards.
    [[nodiscard]] int release() noexcept { return std::exchange(fd_, -1); }
    // Preserves errno, so that a failure can be reported after its descriptors are closed.
    void reset(int fd = -1) noexcept;

  private:
    int fd_ = -1;
};

}  // namespace holdfast::os
