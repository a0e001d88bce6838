#pragma once

#include <span>
#include <string>
#include <variant>

#include "os/unique_fd.hpp"

namespace holdfast::os {

// The runtime directory of a service. While this object exists it belongs to us alone: the file `lock` in it is locked
// (flock) and contains our pid. Other entries are created and removed by the code that uses them. `remove` deletes the
// lock file, and the directory if we created it and it is empty.
class RuntimeDirectory {
  public:
    RuntimeDirectory(std::string path, UniqueFd directory, UniqueFd lock, bool was_made);

    const std::string& path() const { return path_; }
    int fd() const { return directory_.get(); }

    // Call at the end of the service, after all other entries were removed. The name is free afterwards.
    void remove();

  private:
    std::string path_;
    UniqueFd directory_;
    UniqueFd lock_;
    bool was_made_ = false;
};

// Another supervisor has locked the directory.
struct NameTaken {
    std::string path;
    int pid = 0;  // 0: not known
};

// No candidate is usable. `reason` has one clause for each: "cannot create /run/holdfast: Permission denied; ...".
struct NoRuntimeDirectory {
    std::string reason;
};

using RuntimeDirectoryClaim = std::variant<RuntimeDirectory, NameTaken, NoRuntimeDirectory>;

// Claims the first usable candidate (base/runtime_paths.hpp). Creates it if necessary, with mode 0711 so that workers
// of other uids reach their notify sockets. Rejects a directory of another uid, a directory that other users can write
// to, and a symbolic link of another user. A locked directory ends the search, because the service name is in use.
RuntimeDirectoryClaim claim_runtime_directory(std::span<const std::string> candidates);

}  // namespace holdfast::os
