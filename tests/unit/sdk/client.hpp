#pragma once

#include <sys/socket.h>

#include <cstddef>
#include <holdfast/listener.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::testing {

// The address of a listener, which stays usable after the listener was passed on.
struct Endpoint {
    explicit Endpoint(const Listener& listener);
    ~Endpoint();
    Endpoint(const Endpoint&) = delete;
    Endpoint& operator=(const Endpoint&) = delete;

    // A port that the system chose changes when the listener is shut down and listens again.
    void refresh();

    int fd = -1;  // a descriptor of the same socket, as a sibling process has
    sockaddr_storage address{};
    socklen_t length = sizeof address;
};

// Tries to connect a new client. Returns 0 or the errno of connect(2).
int connect_error(const Endpoint& endpoint);

// A client whose reads fail the test after the usual timeout.
class Client {
  public:
    // The kernel chooses the size of the receive buffer if it is 0.
    explicit Client(const Endpoint& endpoint, int receive_buffer = 0);
    Client(Client&& other) noexcept;
    ~Client();
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;

    void send(std::string_view bytes) const;

    // Sends all bytes, unless the server closes or resets the connection before. Returns whether it has sent all.
    bool try_send(std::string_view bytes) const;

    // Reads a line and returns it without the newline.
    std::string read_line() const;

    // Reads once: up to `most` bytes. Empty at the end, also if the connection was reset.
    std::string read_some(std::size_t most) const;

    // Reads until the server closes its side.
    std::string read_to_end() const;

    void close();

    // Resets the connection (on a unix socket: closes it).
    void reset();

  private:
    int fd_ = -1;
};

// Connects `count` clients one after the other.
std::vector<Client> connect(const Endpoint& endpoint, std::size_t count);

}  // namespace holdfast::testing
