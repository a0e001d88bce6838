#pragma once

#include <span>
#include <string>
#include <variant>

#include "os/unique_fd.hpp"

namespace holdfast::os {

// A service's directory, ours alone while this lives: `lock` in it is locked (flock) and holds our pid. Entries are
// made and removed by whoever needs them; `remove` takes away the lock file, and the directory if we made it and it is
// empty.
class RuntimeDirectory {
  public:
    RuntimeDirectory(std::string path, UniqueFd directory, UniqueFd lock, bool was_made);

    const std::string& path() const { return path_; }
    int fd() const { return directory_.get(); }

    // At the end of the service, after everything else in it was removed. The name is free from then on.
    void remove();

  private:
    std::string path_;
    UniqueFd directory_;
    UniqueFd lock_;
    bool was_made_ = false;
};

// Another supervisor has it.
struct NameTaken {
    std::string path;
    int pid = 0;  // 0: not told
};

// No candidate can be had; `reason` has one clause for each: "cannot make /run/holdfast: Permission denied; ...".
struct NoRuntimeDirectory {
    std::string reason;
};

using RuntimeDirectoryClaim = std::variant<RuntimeDirectory, NameTaken, NoRuntimeDirectory>;

// Claims the first candidate (base/runtime_paths.hpp) that can be had. Made as needed with mode 0711, so that workers
// of other uids reach their notify sockets. Refused: a directory of another uid, one that others can write to, and a
// symbolic link put there by somebody else. A taken one ends the search: it is the service's name that is taken.
RuntimeDirectoryClaim claim_runtime_directory(std::span<const std::string> candidates);

}  // namespace holdfast::os
