#include "os/probe_listener.hpp"

#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "os/errno_error.hpp"

namespace holdfast::os {
namespace {

// only one probe runs at a time; more connections wait only if the worker does not accept
constexpr int queue_length = 16;

Result<std::string> make_folder(const std::string& below) {
    std::string name = below + "/holdfast-probe-XXXXXX";
    if (::mkdtemp(name.data()) == nullptr) return errno_error("create a directory in " + below);  // 0700
    return Result<std::string>(boost::system::in_place_value, std::move(name));
}

}  // namespace

Result<ProbeListener> ProbeListener::open(const std::string& directory, std::string_view worker,
                                          const std::string& fallback) {
    ProbeListener listener;
    std::string path = directory + "/probe-" + std::string(worker);
    if (directory.empty() || !unix_address(path)) {
        auto folder = make_folder(fallback);
        if (!folder) return folder.error();
        listener.folder_ = std::move(*folder);
        path = listener.folder_ + "/probe";
    }
    if (auto bound = listener.bind(path); !bound) return bound.error();
    return listener;
}

Result<void> ProbeListener::bind(const std::string& path) {
    const auto socket_address = unix_address(path);
    if (!socket_address) return socket_address.error();
    address_ = *socket_address;
    fd_.reset(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (!fd_) return errno_error("create a probe listener");
    // bind() creates the file with the socket's mode, so other users cannot connect at any moment.
    if (::fchmod(fd_.get(), 0600) != 0) return errno_error("set the mode of a probe listener");
    int bound = ::bind(fd_.get(), address_.get(), address_.length);
    if (bound != 0 && errno == EADDRINUSE) {
        ::unlink(path.c_str());
        bound = ::bind(fd_.get(), address_.get(), address_.length);
    }
    if (bound != 0) return errno_error("bind " + path);
    path_ = path;
    if (::chmod(path.c_str(), 0600) != 0) return errno_error("set the mode of " + path);
    if (::listen(fd_.get(), queue_length) != 0) return errno_error("listen on " + path);
    return {};
}

ProbeListener::ProbeListener(ProbeListener&& other) noexcept
    : fd_(std::move(other.fd_)),
      address_(other.address_),
      path_(std::exchange(other.path_, {})),
      folder_(std::exchange(other.folder_, {})) {}

ProbeListener& ProbeListener::operator=(ProbeListener&& other) noexcept {
    if (this == &other) return *this;
    remove();
    fd_ = std::move(other.fd_);
    address_ = other.address_;
    path_ = std::exchange(other.path_, {});
    folder_ = std::exchange(other.folder_, {});
    return *this;
}

ProbeListener::~ProbeListener() { remove(); }

void ProbeListener::remove() noexcept {
    if (!path_.empty()) ::unlink(path_.c_str());
    if (!folder_.empty()) ::rmdir(folder_.c_str());
    path_.clear();
    folder_.clear();
}

}  // namespace holdfast::os
