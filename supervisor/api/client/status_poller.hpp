#pragma once

#include <boost/asio/io_context.hpp>
#include <functional>
#include <string>

#include "api/client/change_client.hpp"

namespace holdfast::api {

// A status as it was answered.
Result<Service> read_service(const std::string& directory, std::string body);

// Looks at a service in somebody's loop, once at a time: a supervisor that takes its time is asked no second time
// meanwhile.
class StatusPoller {
  public:
    StatusPoller(boost::asio::io_context& io, std::string directory) : io_(io), directory_(std::move(directory)) {}

    bool is_under_way() const { return is_under_way_; }
    // Within 2 s, or an error.
    void poll(std::function<void(Result<Service>)> done);

  private:
    boost::asio::io_context& io_;
    std::string directory_;
    bool is_under_way_ = false;
};

}  // namespace holdfast::api
