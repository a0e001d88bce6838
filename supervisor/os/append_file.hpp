#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "os/unique_fd.hpp"

namespace holdfast::os {

// An append-only file of lines with a bounded size. Before the file would exceed `limit` bytes it is renamed to
// "<name>.1" (which replaces a file of that name), and a new file is started. Each line is written with one write(2). A
// partial write (full disk) is truncated again; where the truncation fails too, the next line starts with a newline, so
// a reader sees complete lines and fragments that do not parse. Only one writer at a time is supported.
class AppendFile {
  public:
    // Opens nothing before the first line. `directory_fd` is borrowed.
    AppendFile(int directory_fd, std::string name, std::uint64_t limit)
        : directory_fd_(directory_fd), name_(std::move(name)), limit_(limit) {}

    // `line` contains no newline but the one at its end. SIGXFSZ must be blocked or ignored.
    Result<void> append(std::string_view line);

  private:
    Result<void> open();
    // Whether the open file was deleted in the meantime.
    bool is_gone() const;
    Result<std::uint64_t> size() const;
    Result<void> write(std::string_view bytes, std::uint64_t size_before);

    int directory_fd_;
    std::string name_;
    std::uint64_t limit_;
    UniqueFd file_;
    enum class LastLine { whole, torn } last_line_ = LastLine::whole;
};

}  // namespace holdfast::os
