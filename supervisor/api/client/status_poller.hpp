#pragma once

#include <boost/asio/io_context.hpp>
#include <functional>
#include <string>

#include "api/client/change_client.hpp"

namespace holdfast::api {

// Decodes the body of a status response.
Result<Service> read_service(const std::string& directory, std::string body);

// Fetches the status of a service in the event loop `io`. Only one poll may be under way at a time.
class StatusPoller {
  public:
    StatusPoller(boost::asio::io_context& io, std::string directory) : io_(io), directory_(std::move(directory)) {}

    bool is_under_way() const { return is_under_way_; }
    // Calls `done` with the status, or with an error after 2 s at the latest.
    void poll(std::function<void(Result<Service>)> done);

  private:
    boost::asio::io_context& io_;
    std::string directory_;
    bool is_under_way_ = false;
};

}  // namespace holdfast::api
