#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>

#include "base/result.hpp"
#include "os/unique_fd.hpp"

namespace holdfast::os {

// How the name of a unix socket is made. Users and groups are resolved here: names or numbers, empty for our own.
struct UnixPathOptions {
    std::optional<std::uint32_t> mode;  // without it: 0777 less the umask
    std::string user, group;
};

// The name in the file system of one bound unix socket of ours, with a hard link beside it (".<name>.holdfast-<pid>"),
// by which the name can be given back to the same live socket after somebody took it away. Removes both at its end,
// but only where they are still our own inode.
class UnixPath {
  public:
    // Binds `socket_fd`, a unix socket not bound yet, at `path`, its real name. To be called under the service's lock:
    // a stale path is unlinked, one where a live server answers, or that is no socket, is refused (code EADDRINUSE),
    // and hard links that dead supervisors left beside it are removed. The mode is set before the bind, so the name is
    // never more open than asked for.
    static Result<UnixPath> bind(int socket_fd, const std::string& path, const UnixPathOptions& options);

    UnixPath(UnixPath&& other) noexcept;
    UnixPath& operator=(UnixPath&& other) noexcept;
    ~UnixPath();

    const std::string& path() const { return path_; }

    // Becomes readable when the inode's names change, so when somebody has unlinked the path (inotify; quiet otherwise,
    // whatever happens to its neighbours). Call `restore` then, which also empties it. Without a watch (-1, where the
    // kernel gives none) look after each worker's exit. Our own `withdraw` and `restore` make it readable as well.
    int watch_fd() const { return watch_.get(); }

    enum class State {
        present,   // the path is ours
        restored,  // it was gone and is back, same socket
        taken,     // somebody else's file stands there: left alone
        lost,      // gone, and so is the hard link: only a new socket can have the path
    };
    // Sees whether the path is still ours, and links it back if it was taken away. A withdrawn path stays away.
    State restore();

    // Takes the path away so that clients are refused at once, keeping the hard link; `relink` undoes it. False, and
    // nothing done, where there is no hard link: the path could not be given back.
    bool withdraw();
    bool can_be_withdrawn() const;
    State relink();

    // Of the name that is bound: ENOENT where it is not ours at present. An empty user or group becomes our own.
    Result<void> change_owner(const UnixPathOptions& options) const;

  private:
    UnixPath() = default;
    Result<void> make_name(int socket_fd, const UnixPathOptions& options);
    bool is_ours(const std::string& name) const;
    void make_backup_link();
    void clear_watch() const;
    void remove() noexcept;

    std::string path_;
    std::string backup_link_;  // the hard link; empty where the file system has none
    dev_t device_ = 0;
    ino_t inode_ = 0;
    bool is_withdrawn_ = false;
    UniqueFd watch_;
};

}  // namespace holdfast::os
