#include "os/unix_path.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <memory>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "os/credentials.hpp"
#include "os/errno_error.hpp"
#include "os/launch_spec.hpp"
#include "os/socket_address.hpp"
#include "os/stale_socket.hpp"

namespace holdfast::os {
namespace {

struct SplitPath {
    std::string directory;  // including the '/'
    std::string base;
};

SplitPath split(const std::string& path) {
    const std::size_t slash = path.rfind('/');
    const std::size_t start = slash == std::string::npos ? 0 : slash + 1;
    return {path.substr(0, start), path.substr(start)};
}

std::string backup_link_prefix(const std::string& base) { return "." + base + ".holdfast-"; }

// Removes hard links of supervisors that died without cleaning up. Links of live supervisors accept connections and are
// kept.
void remove_stale_backup_links(const SplitPath& where) {
    const std::unique_ptr<DIR, int (*)(DIR*)> folder(::opendir(where.directory.empty() ? "." : where.directory.c_str()),
                                                     &::closedir);
    if (!folder) return;
    const std::string prefix = backup_link_prefix(where.base);
    std::vector<std::string> found;
    while (const dirent* entry = ::readdir(folder.get())) {
        if (std::string_view(entry->d_name).starts_with(prefix)) found.push_back(where.directory + entry->d_name);
    }
    // A link that cannot be removed does no harm.
    for (const std::string& backup_link : found) static_cast<void>(remove_stale_socket(backup_link));
}

// Opens the inode itself, so that a later rename cannot redirect an operation to another file.
Result<UniqueFd> open_inode(const std::string& path) {
    UniqueFd inode{::open(path.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC)};
    if (!inode) return errno_error("open " + path);
    return inode;
}

Result<void> set_owner(int inode_fd, const UnixPathOptions& options) {
    if (options.user.empty() && options.group.empty()) return {};
    const auto found = find_account(options.user, options.group);
    if (const auto* failure = std::get_if<LaunchFailure>(&found))
        return error(describe(*failure), failure->error_number);
    const Credentials& owner = std::get<Account>(found).credentials;
    const uid_t uid = options.user.empty() ? static_cast<uid_t>(-1) : owner.uid;
    const gid_t gid = options.group.empty() ? static_cast<gid_t>(-1) : owner.gid;
    if (::fchownat(inode_fd, "", uid, gid, AT_EMPTY_PATH) != 0) return errno_error("change the owner of the socket");
    return {};
}

Result<void> set_mode(int inode_fd, std::uint32_t mode) {
    const std::string itself = "/proc/self/fd/" + std::to_string(inode_fd);
    if (::chmod(itself.c_str(), mode) != 0) return errno_error("set the mode of the socket");
    return {};
}

}  // namespace

Result<UnixPath> UnixPath::bind(int socket_fd, const std::string& path, const UnixPathOptions& options) {
    const auto free = remove_stale_socket(path);
    if (!free) return free.error();
    remove_stale_backup_links(split(path));
    UnixPath name;
    name.path_ = path;
    const auto made = name.make_name(socket_fd, options);
    if (!made) return made.error();
    return name;
}

Result<void> UnixPath::make_name(int socket_fd, const UnixPathOptions& options) {
    const auto address = unix_address(path_);
    if (!address) return address.error();
    // bind() applies the umask to this mode; the missing bits are added below.
    if (options.mode && ::fchmod(socket_fd, *options.mode) != 0) return errno_error("set the mode of the socket");
    if (::bind(socket_fd, address->get(), address->length) != 0) return errno_error("bind the path");
    const auto inode = open_inode(path_);
    if (!inode) return inode.error();
    struct stat status {};
    if (::fstat(inode->get(), &status) != 0) return errno_error("stat " + path_);
    if (!S_ISSOCK(status.st_mode) || status.st_uid != ::geteuid()) {
        return error("another process replaced " + path_ + " while it was being created", EADDRINUSE);
    }
    device_ = status.st_dev;
    inode_ = status.st_ino;
    make_backup_link();
    if (options.mode && (status.st_mode & 07777) != *options.mode) {
        if (auto set = set_mode(inode->get(), *options.mode); !set) return set;
    }
    return set_owner(inode->get(), options);
}

void UnixPath::make_backup_link() {
    const SplitPath where = split(path_);
    const std::string backup_link = where.directory + backup_link_prefix(where.base) + std::to_string(::getpid());
    if (::link(path_.c_str(), backup_link.c_str()) != 0) return;
    backup_link_ = backup_link;
    watch_.reset(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
    if (!watch_) return;
    // Watches the inode and not the directory, so that changes to other files cause no wake-up. Removing a name of the
    // inode changes its link count, which is reported as an attribute change.
    if (::inotify_add_watch(watch_.get(), backup_link_.c_str(), IN_ATTRIB | IN_DONT_FOLLOW) < 0) watch_.reset();
}

UnixPath::UnixPath(UnixPath&& other) noexcept
    : path_(std::exchange(other.path_, {})),
      backup_link_(std::exchange(other.backup_link_, {})),
      device_(other.device_),
      inode_(std::exchange(other.inode_, 0)),
      is_withdrawn_(other.is_withdrawn_),
      watch_(std::move(other.watch_)) {}

UnixPath& UnixPath::operator=(UnixPath&& other) noexcept {
    if (this == &other) return *this;
    remove();
    path_ = std::exchange(other.path_, {});
    backup_link_ = std::exchange(other.backup_link_, {});
    device_ = other.device_;
    inode_ = std::exchange(other.inode_, 0);
    is_withdrawn_ = other.is_withdrawn_;
    watch_ = std::move(other.watch_);
    return *this;
}

UnixPath::~UnixPath() { remove(); }

void UnixPath::remove() noexcept {
    if (inode_ == 0) return;
    watch_.reset();
    if (is_ours(path_)) ::unlink(path_.c_str());
    if (!backup_link_.empty() && is_ours(backup_link_)) ::unlink(backup_link_.c_str());
    inode_ = 0;
}

bool UnixPath::is_ours(const std::string& name) const {
    struct stat status {};
    return ::lstat(name.c_str(), &status) == 0 && status.st_dev == device_ && status.st_ino == inode_;
}

void UnixPath::clear_watch() const {
    std::array<char, 4096> events{};
    while (watch_ && ::read(watch_.get(), events.data(), events.size()) > 0) {
    }
}

UnixPath::State UnixPath::restore() {
    clear_watch();
    if (is_withdrawn_ || is_ours(path_)) return State::present;
    if (!can_be_withdrawn()) {
        return ::access(path_.c_str(), F_OK) == 0 ? State::taken : State::lost;
    }
    // link() never replaces an existing file.
    if (::link(backup_link_.c_str(), path_.c_str()) == 0) return State::restored;
    return errno == EEXIST ? State::taken : State::lost;
}

bool UnixPath::can_be_withdrawn() const { return !backup_link_.empty() && is_ours(backup_link_); }

bool UnixPath::withdraw() {
    if (!can_be_withdrawn()) return false;
    if (is_ours(path_)) ::unlink(path_.c_str());
    is_withdrawn_ = true;
    return true;
}

UnixPath::State UnixPath::relink() {
    is_withdrawn_ = false;
    return restore();
}

Result<void> UnixPath::change_owner(const UnixPathOptions& options) const {
    // While the path is withdrawn, the backup link leads to the same inode.
    const auto inode = open_inode(is_withdrawn_ ? backup_link_ : path_);
    if (!inode) return inode.error();
    struct stat status {};
    if (::fstat(inode->get(), &status) != 0 || status.st_dev != device_ || status.st_ino != inode_) {
        return errno_error("stat " + path_, ENOENT);
    }
    if (options.mode) {
        if (auto set = set_mode(inode->get(), *options.mode); !set) return set;
    }
    UnixPathOptions owner = options;
    if (owner.user.empty()) owner.user = std::to_string(::geteuid());
    if (owner.group.empty()) owner.group = std::to_string(::getegid());
    return set_owner(inode->get(), owner);
}

}  // namespace holdfast::os
