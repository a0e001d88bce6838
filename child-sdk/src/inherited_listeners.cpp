#include "inherited_listeners.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace holdfast {

InheritedListeners::InheritedListeners(std::vector<InheritedListener> listeners)
    : available_(std::move(listeners)), was_one_(available_.size() == 1) {}

std::optional<InheritedListener> InheritedListeners::take(std::string_view name, std::string_view address) {
    for (std::size_t i = 0; i < available_.size(); ++i) {
        if (!name.empty() && available_[i].name == name) return take_at(i);
    }
    if (!address.empty()) {
        const Address wanted = parse_address(address);
        for (std::size_t i = 0; i < available_.size(); ++i) {
            if (is_same(available_[i].address, wanted)) return take_at(i);
        }
    }
    return std::nullopt;
}

std::optional<InheritedListener> InheritedListeners::take_only() {
    if (!was_one_ || available_.empty()) return std::nullopt;
    return take_at(0);
}

std::string InheritedListeners::list() const {
    std::string names;
    for (const InheritedListener& listener : available_) {
        if (!names.empty()) names += ", ";
        names += listener.name.empty() ? to_string(listener.address)
                                       : listener.name + " (" + to_string(listener.address) + ")";
    }
    return names.empty() ? "none" : names;
}

std::optional<InheritedListener> InheritedListeners::take_at(std::size_t index) {
    InheritedListener taken = std::move(available_[index]);
    available_.erase(available_.begin() + static_cast<std::ptrdiff_t>(index));
    return taken;
}

}  // namespace holdfast
