#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>

#include "base/result.hpp"
#include "os/unique_fd.hpp"

namespace holdfast::os {

// How the file of a unix socket is created. Users and groups are names or numbers and are resolved by bind(); empty
// means our own.
struct UnixPathOptions {
    std::optional<std::uint32_t> mode;  // nullopt: 0777 minus the umask
    std::string user, group;
};

// The path of a unix socket that we have bound, together with a hard link next to it (".<name>.holdfast-<pid>"). The
// hard link allows to restore the path for the same live socket after it was deleted. The destructor removes both, but
// only if they still lead to our inode.
class UnixPath {
  public:
    // Binds `socket_fd`, an unbound unix socket, to `path`. The caller must hold the lock of the service. Removes a
    // stale socket file, and stale hard links of dead supervisors. Fails with EADDRINUSE if a server is listening on
    // the path or if the file is not a socket. The mode is set before the bind, so the file is never more accessible
    // than requested.
    static Result<UnixPath> bind(int socket_fd, const std::string& path, const UnixPathOptions& options);

    UnixPath(UnixPath&& other) noexcept;
    UnixPath& operator=(UnixPath&& other) noexcept;
    ~UnixPath();

    const std::string& path() const { return path_; }

    // Becomes readable when the link count of the inode changes, that is, when the path was unlinked (inotify; changes
    // to other files cause no wake-up). Then call `restore`, which also reads the events. -1 if the kernel provides no
    // watch; then call `restore` after each worker's exit. Our own `withdraw` and `restore` make it readable as well.
    int watch_fd() const { return watch_.get(); }

    enum class State {
        present,   // the path leads to our inode
        restored,  // the path was missing and is linked to the same socket again
        taken,     // another file has the path; it is not replaced
        lost,      // the path and the hard link are gone; only a new socket can be bound to the path
    };
    // Checks whether the path still leads to our inode, and links it again if it was deleted. Does not restore a
    // withdrawn path.
    State restore();

    // Unlinks the path, so that clients are refused at once, but keeps the hard link; `relink` undoes it. Does nothing
    // and returns false if there is no hard link, because the path could not be restored.
    bool withdraw();
    bool can_be_withdrawn() const;
    State relink();

    // Changes the bound file. ENOENT if the path does not lead to our inode at present. An empty user or group means
    // our own.
    Result<void> change_owner(const UnixPathOptions& options) const;

  private:
    UnixPath() = default;
    Result<void> make_name(int socket_fd, const UnixPathOptions& options);
    bool is_ours(const std::string& name) const;
    void make_backup_link();
    void clear_watch() const;
    void remove() noexcept;

    std::string path_;
    std::string backup_link_;  // the hard link; empty if the file system does not support hard links
    dev_t device_ = 0;
    ino_t inode_ = 0;
    bool is_withdrawn_ = false;
    UniqueFd watch_;
};

}  // namespace holdfast::os
