#include "memory_cgroup.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <optional>

namespace holdfast::test {
namespace {

struct CgroupParent {
    std::string folder;      // directory in which the new cgroup is created
    std::string limit;       // file that takes the limit in bytes
    std::string swap_limit;  // without a swap limit, too much memory would only make the worker slow
};

// The cgroup of this process for this controller, from /proc/self/cgroup; "" stands for version 2.
std::optional<std::string> own_cgroup(const std::string& controller) {
    std::ifstream file("/proc/self/cgroup");
    const std::string middle = ":" + controller + ":";
    for (std::string line; std::getline(file, line);) {
        const std::size_t found = line.find(middle);
        if (found != line.npos && found == line.find(':')) return line.substr(found + middle.size());
    }
    return std::nullopt;
}

std::vector<CgroupParent> candidate_parents() {
    std::vector<CgroupParent> found;
    if (const auto own = own_cgroup("memory")) {
        found.push_back({"/sys/fs/cgroup/memory" + *own, "memory.limit_in_bytes", "memory.memsw.limit_in_bytes"});
    }
    if (const auto own = own_cgroup("")) {
        // A cgroup that contains processes cannot delegate the controller; then the new cgroup must be next to it.
        for (const std::string& above : {own->substr(0, own->rfind('/')), *own}) {
            found.push_back({"/sys/fs/cgroup" + above, "memory.max", "memory.swap.max"});
        }
    }
    return found;
}

bool write_to(const std::string& path, const std::string& text) {
    if (::access(path.c_str(), W_OK) != 0) return false;
    std::ofstream file(path);
    file << text << std::flush;
    return file.good();
}

}  // namespace

std::unique_ptr<MemoryCgroup> MemoryCgroup::make(std::uint64_t max_bytes) {
    for (const CgroupParent& parent : candidate_parents()) {
        const std::string folder = parent.folder + "/holdfast-test-" + std::to_string(::getpid());
        if (::mkdir(folder.c_str(), 0755) != 0) continue;
        std::unique_ptr<MemoryCgroup> made(new MemoryCgroup(folder));
        if (!write_to(folder + "/" + parent.limit, std::to_string(max_bytes))) continue;
        write_to(folder + "/" + parent.swap_limit, parent.limit == "memory.max" ? "0" : std::to_string(max_bytes));
        return made;
    }
    return nullptr;
}

MemoryCgroup::~MemoryCgroup() { ::rmdir(folder_.c_str()); }

std::vector<std::string> MemoryCgroup::wrapper() const {
    return {"/bin/sh", "-c", "echo $$ > " + folder_ + "/cgroup.procs && exec \"$@\"", "sh"};
}

}  // namespace holdfast::test
