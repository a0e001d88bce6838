#include <holdfast/request.hpp>
#include <utility>

#include "conductor.hpp"

namespace holdfast {

Held::Held(std::shared_ptr<Conductor> conductor, void* entry) : conductor_(std::move(conductor)), entry_(entry) {}

Held::Held(Held&& other) noexcept
    : conductor_(std::move(other.conductor_)), entry_(std::exchange(other.entry_, nullptr)) {}

Held& Held::operator=(Held&& other) noexcept {
    if (this != &other) {
        end();
        conductor_ = std::move(other.conductor_);
        entry_ = std::exchange(other.entry_, nullptr);
    }
    return *this;
}

Held::~Held() { end(); }

void Held::end() {
    if (entry_ == nullptr) return;
    conductor_->end(std::exchange(entry_, nullptr));
    conductor_.reset();
}

}  // namespace holdfast
