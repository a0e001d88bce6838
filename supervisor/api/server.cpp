#include "api/server.hpp"

#include <utility>

#include "api/desk.hpp"

namespace holdfast::api {

Server::Server(boost::asio::any_io_executor executor, int listening_fd, uid_t our_uid, Supervised supervised,
               Limits limits)
    : desk_(std::make_shared<Desk>(executor, listening_fd, our_uid, std::move(supervised), limits)) {
    desk_->open();
}

Server::~Server() { desk_->close(); }

void Server::close_when_answered(std::function<void()> done) { desk_->close_when_answered(std::move(done)); }

}  // namespace holdfast::api
