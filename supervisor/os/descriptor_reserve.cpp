#include "os/descriptor_reserve.hpp"

#include <fcntl.h>

#include <utility>

namespace holdfast::os {

DescriptorReserve::DescriptorReserve(int count) : count_(count) { refill(); }

void DescriptorReserve::refill() {
    while (static_cast<int>(descriptors_.size()) < count_) {
        UniqueFd spare{::open("/dev/null", O_RDONLY | O_CLOEXEC)};
        if (!spare) return;
        descriptors_.push_back(std::move(spare));
    }
}

}  // namespace holdfast::os
