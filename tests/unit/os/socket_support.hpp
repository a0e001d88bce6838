#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "os/listener.hpp"
#include "os/unique_fd.hpp"

namespace holdfast::os {

// A folder of one test, with a name short enough for unix addresses; goes with all that is in it.
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

// Runs the test's own code in a child process, for what would change this one (environment, descriptors, signal mask).
// Its failed expectations fail the test.
void expect_in_child(const std::function<void()>& body);

// Opens what the text asks for; fails the test if that cannot be done.
Listener open_listener(const std::string& text);
// The error's text.
std::string refusal_of(const std::string& text);

struct Client {
    UniqueFd fd;
    int error_number = 0;  // of connect
};
Client connect_to(const SocketAddress& socket_address);
Client connect_to(const Listener& listener);  // by its own address; "every address" by the loopback's
Client connect_to_port(std::uint16_t port, const char* host);
Client connect_to_path(const std::string& path);

// Whether a client of the listener is accepted here.
bool serves(const Listener& listener);

// Whether the descriptor becomes readable (or says `events`) now, or within a generous time.
bool is_readable_now(int fd);
bool becomes_readable(int fd);

bool exists(const std::string& path);
std::uint64_t inode_of(const std::string& path);

}  // namespace holdfast::os
