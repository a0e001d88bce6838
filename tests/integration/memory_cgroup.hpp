#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace holdfast::test {

// A new cgroup with a memory limit, next to the cgroup of this process or below it. The destructor removes it; all
// processes in it must have ended before.
class MemoryCgroup {
  public:
    // Null if this process cannot create such a cgroup on this machine.
    static std::unique_ptr<MemoryCgroup> make(std::uint64_t max_bytes);
    ~MemoryCgroup();
    MemoryCgroup(const MemoryCgroup&) = delete;
    MemoryCgroup& operator=(const MemoryCgroup&) = delete;

    // A command prefix that runs the command after it in this cgroup.
    std::vector<std::string> wrapper() const;

  private:
    explicit MemoryCgroup(std::string folder) : folder_(std::move(folder)) {}

    std::string folder_;
};

}  // namespace holdfast::test
