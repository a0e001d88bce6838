#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "os/listener.hpp"
#include "os/unique_fd.hpp"

namespace holdfast::os {

// A temporary directory with a path that is short enough for unix addresses; the destructor removes it with its
// contents.
class TemporaryFolder {
  public:
    TemporaryFolder();
    ~TemporaryFolder();
    TemporaryFolder(const TemporaryFolder&) = delete;
    TemporaryFolder& operator=(const TemporaryFolder&) = delete;
    const std::string& path() const { return path_; }
    std::string operator/(std::string_view name) const { return path_ + "/" + std::string(name); }

  private:
    std::string path_;
};

// Runs a part of a test in a child process, because it changes the process (environment, descriptors, signal mask).
// Failed expectations in the child fail the test.
void expect_in_child(const std::function<void()>& body);

// Opens a listener; fails the test on an error.
Listener open_listener(const std::string& text);
// The text of the error.
std::string refusal_of(const std::string& text);

struct Client {
    UniqueFd fd;
    int error_number = 0;  // the errno of connect
};
Client connect_to(const SocketAddress& socket_address);
Client connect_to(const Listener& listener);  // to its own address; for the wildcard address to the loopback address
Client connect_to_port(std::uint16_t port, const char* host);
Client connect_to_path(const std::string& path);

// Whether a client of the listener is accepted by this process.
bool serves(const Listener& listener);

// Whether the descriptor is readable now, or becomes readable within a generous time.
bool is_readable_now(int fd);
bool becomes_readable(int fd);

bool exists(const std::string& path);
std::uint64_t inode_of(const std::string& path);

}  // namespace holdfast::os
