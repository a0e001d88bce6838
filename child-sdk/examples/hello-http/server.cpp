#include "server.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <unistd.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <cstdlib>
#include <utility>

#include "connection.hpp"

namespace net = boost::asio;

namespace {

std::string worker_id() {
    const char* worker = std::getenv("HOLDFAST_WORKER");
    return std::string(worker == nullptr ? "0.0" : worker) + "." + std::to_string(::getpid());
}

int family_of(int fd) {
    sockaddr_storage address{};
    socklen_t length = sizeof address;
    ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length);
    return address.ss_family;
}

void begin(net::io_context& io, int fd, holdfast::Session session, Service& service) {
    const int family = family_of(fd);
    const int yes = 1;
    if (family != AF_UNIX) ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    Connection::Socket socket(io, net::generic::stream_protocol(family, 0), fd);
    const auto connection = std::make_shared<Connection>(std::move(socket), std::move(session), service);
    net::co_spawn(io, connection->serve(), net::detached);
}

}  // namespace

Server::Server(holdfast::Worker& worker, const holdfast::Listener& listener, Pool& pool, AccessLog& log)
    : service_{worker, pool, log, worker_id(), {}, {}},
      work_(io_.get_executor()),
      thread_([this] { io_.run(); }),
      acceptor_(worker, listener, [this](int fd, holdfast::Session session) {
          net::post(io_, [this, fd, session = std::move(session)]() mutable {
              begin(io_, fd, std::move(session), service_);
          });
      }) {}

Server::~Server() {
    acceptor_.stop();
    io_.stop();
    thread_.join();
}

void Server::start_accepting() {
    net::post(io_, [this] {
        service_.leaving_since.reset();
        for (Connection* connection : service_.connections) connection->reconsider();
    });
    acceptor_.start();
}

void Server::stop_accepting() { acceptor_.stop(); }

void Server::leave() {
    acceptor_.stop();
    net::post(io_, [this] {
        service_.leaving_since = std::chrono::steady_clock::now();
        for (Connection* connection : service_.connections) connection->reconsider();
    });
}

void Server::abandon() {
    net::post(io_, [this] {
        for (Connection* connection : service_.connections) connection->abandon();
    });
}
