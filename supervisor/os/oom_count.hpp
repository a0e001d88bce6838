#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace holdfast::os {

// Where the kernel counts those whom it killed for want of memory. Other places are for tests.
struct OomSources {
    std::string own_cgroup = "/proc/self/cgroup";
    std::string cgroups = "/sys/fs/cgroup";
    std::string vmstat = "/proc/vmstat";
};

// How many processes the kernel has killed for want of memory: in our cgroup (version 2) and below it, or, where that
// is not counted, in the next one above; else on the whole machine. It counts before the victim gets its SIGKILL.
// Nothing where the kernel does not tell.
class OomCount {
  public:
    // Chooses the place; it stays the same from then on, so that two readings can be compared.
    explicit OomCount(const OomSources& sources = {});
    std::optional<std::uint64_t> read() const;

  private:
    std::string path_;  // empty: nobody counts
};

}  // namespace holdfast::os
