#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace holdfast::os {

// The files in which the kernel counts OOM kills. Tests use other paths.
struct OomSources {
    std::string own_cgroup = "/proc/self/cgroup";
    std::string cgroups = "/sys/fs/cgroup";
    std::string vmstat = "/proc/vmstat";
};

// The number of processes that the OOM killer has killed: in our cgroup (version 2) and its descendants; if it has no
// counter, in the nearest ancestor that has one; otherwise on the whole machine. The kernel increments the counter
// before it sends SIGKILL to the victim. nullopt if the kernel reports no count.
class OomCount {
  public:
    // Chooses the file once, so that two readings can be compared.
    explicit OomCount(const OomSources& sources = {});
    std::optional<std::uint64_t> read() const;

  private:
    std::string path_;  // empty: no counter is available
};

}  // namespace holdfast::os
