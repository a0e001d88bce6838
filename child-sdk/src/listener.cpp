#include <sys/stat.h>
#include <unistd.h>

#include <holdfast/listener.hpp>
#include <utility>

namespace holdfast {

Listener::Listener(int fd, std::string name, std::string address, Origin origin)
    : fd_(fd), name_(std::move(name)), address_(std::move(address)), origin_(origin) {}

Listener::Listener(Listener&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)),
      name_(std::move(other.name_)),
      address_(std::move(other.address_)),
      origin_(other.origin_) {}

Listener& Listener::operator=(Listener&& other) noexcept {
    if (this != &other) {
        close();
        fd_ = std::exchange(other.fd_, -1);
        name_ = std::move(other.name_);
        address_ = std::move(other.address_);
        origin_ = other.origin_;
    }
    return *this;
}

Listener::~Listener() { close(); }

int Listener::release() { return std::exchange(fd_, -1); }

void Listener::close() {
    if (fd_ >= 0) ::close(std::exchange(fd_, -1));
}

}  // namespace holdfast
