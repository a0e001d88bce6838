#include "api/server/server.hpp"

#include <utility>

#include "api/server/handlers.hpp"

namespace holdfast::api {

Server::Server(boost::asio::any_io_executor executor, int listening_fd, uid_t our_uid, Backend backend, Limits limits)
    : handlers_(std::make_shared<Handlers>(executor, listening_fd, our_uid, std::move(backend), limits)) {
    handlers_->open();
}

Server::~Server() { handlers_->close(); }

void Server::close_when_answered(std::function<void()> done) { handlers_->close_when_answered(std::move(done)); }

}  // namespace holdfast::api
