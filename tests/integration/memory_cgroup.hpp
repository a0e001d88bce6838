#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace holdfast::test {

// A cgroup of our own that may have so much memory, beside ours or below it; removed when this dies, after all that was
// in it.
class MemoryCgroup {
  public:
    // Nothing where this machine, or our place in it, has no such cgroup for us.
    static std::unique_ptr<MemoryCgroup> make(std::uint64_t max_bytes);
    ~MemoryCgroup();
    MemoryCgroup(const MemoryCgroup&) = delete;
    MemoryCgroup& operator=(const MemoryCgroup&) = delete;

    // A command that runs the words behind it in here.
    std::vector<std::string> wrapper() const;

  private:
    explicit MemoryCgroup(std::string folder) : folder_(std::move(folder)) {}

    std::string folder_;
};

}  // namespace holdfast::test
