#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "os/unique_fd.hpp"

namespace holdfast::os {

// A file of lines that only grows at its end, and is bounded all the same: before it would pass `limit` it is renamed
// to
// "<name>.1", in place of the one that has that name, and begun anew. Every line is one write(2). What could not be
// written wholly (a full disk) is cut off again, and where not even that is possible the next line begins with a line
// end: a reader finds whole lines, and pieces that are none. One writer alone.
class AppendFile {
  public:
    // Nothing is opened before the first line. `directory_fd` is borrowed.
    AppendFile(int directory_fd, std::string name, std::uint64_t limit)
        : directory_fd_(directory_fd), name_(std::move(name)), limit_(limit) {}

    // `line` ends with its only line end. SIGXFSZ has to be blocked or ignored.
    Result<void> append(std::string_view line);

  private:
    Result<void> open();
    // Whether somebody has taken the file away since.
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
