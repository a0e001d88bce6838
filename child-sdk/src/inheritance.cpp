#include "inheritance.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace holdfast {

Inheritance::Inheritance(std::vector<Inherited> listeners)
    : untaken_(std::move(listeners)), was_one_(untaken_.size() == 1) {}

std::optional<Inherited> Inheritance::take(std::string_view name, std::string_view address) {
    for (std::size_t i = 0; i < untaken_.size(); ++i) {
        if (!name.empty() && untaken_[i].name == name) return take_at(i);
    }
    if (!address.empty()) {
        const Address wanted = parse_address(address);
        for (std::size_t i = 0; i < untaken_.size(); ++i) {
            if (is_same(untaken_[i].address, wanted)) return take_at(i);
        }
    }
    return std::nullopt;
}

std::optional<Inherited> Inheritance::take_only() {
    if (!was_one_ || untaken_.empty()) return std::nullopt;
    return take_at(0);
}

std::string Inheritance::list() const {
    std::string names;
    for (const Inherited& listener : untaken_) {
        if (!names.empty()) names += ", ";
        names += listener.name.empty() ? to_string(listener.address)
                                       : listener.name + " (" + to_string(listener.address) + ")";
    }
    return names.empty() ? "none" : names;
}

std::optional<Inherited> Inheritance::take_at(std::size_t index) {
    Inherited taken = std::move(untaken_[index]);
    untaken_.erase(untaken_.begin() + static_cast<std::ptrdiff_t>(index));
    return taken;
}

}  // namespace holdfast
