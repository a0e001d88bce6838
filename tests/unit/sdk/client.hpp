#pragma once

#include <sys/socket.h>

#include <cstddef>
#include <holdfast/listener.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::testing {

// Where a listener is, after it was given away.
struct Endpoint {
    explicit Endpoint(const Listener& listener);
    ~Endpoint();
    Endpoint(const Endpoint&) = delete;
    Endpoint& operator=(const Endpoint&) = delete;

    // A port that was chosen by the system changes when somebody shuts the listener down and somebody revives it.
    void refresh();

    int fd = -1;  // the same socket: what a sibling process has
    sockaddr_storage address{};
    socklen_t length = sizeof address;
};

// A client that waits for everything as long as tests wait, and fails the test then.
class Client {
  public:
    explicit Client(const Endpoint& endpoint);
    Client(Client&& other) noexcept;
    ~Client();
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;

    void send(std::string_view bytes) const;

    // What comes until then, without it.
    std::string read_line() const;

    // What comes until the server closes its side.
    std::string read_to_end() const;

    void close();

  private:
    int fd_ = -1;
};

// So many of them, one after the other.
std::vector<Client> connect(const Endpoint& endpoint, std::size_t count);

}  // namespace holdfast::testing
