#include "inherited_listeners.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace holdfast {

namespace {

bool is_number(std::string_view text) {
    return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

bool is_ipv4(std::string_view text) {
    in_addr ignored{};
    return ::inet_pton(AF_INET, std::string(text).c_str(), &ignored) == 1;
}

// "8080", "_8080", "127.0.0.1_8080", "fd_3". Other addresses contain a character that no name has.
bool is_written_address(std::string_view name) {
    constexpr std::string_view name_letters = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_-.";
    if (name.find_first_not_of(name_letters) != std::string_view::npos) return true;
    const std::size_t mark = name.rfind('_');
    if (mark == std::string_view::npos) return is_number(name);
    const std::string_view host = name.substr(0, mark);
    return is_number(name.substr(mark + 1)) && (host.empty() || host == "fd" || is_ipv4(host));
}

std::string describe(const InheritedListener& listener) {
    const std::string address = to_string(listener.address);
    return is_given_name(listener.name) ? listener.name + " (" + address + ")" : address;
}

std::optional<Address> address_in(std::string_view text) {
    try {
        return parse_address(text);
    } catch (const std::invalid_argument&) {
        return std::nullopt;
    }
}

}  // namespace

bool is_given_name(std::string_view name) {
    if (name.empty() || name == "unknown" || name == "stored" || name == "connection") return false;
    return !name.ends_with(".socket") && !is_written_address(name);
}

InheritedListeners::InheritedListeners(std::vector<InheritedListener> listeners)
    : available_(std::move(listeners)), count_(available_.size()) {}

std::optional<InheritedListener> InheritedListeners::take_for(std::string_view name, std::string_view address) {
    const Address wanted = parse_address(address);
    const auto has_name = [&](const InheritedListener& listener) { return !name.empty() && listener.name == name; };
    if (auto taken = take_first(has_name, name)) return taken;
    const auto is_there = [&](const InheritedListener& listener) {
        return !is_given_name(listener.name) && is_same(listener.address, wanted);
    };
    if (auto taken = take_first(is_there, name)) return taken;
    const auto can_stand_in = [&](const InheritedListener& listener) {
        return count_ == 1 && !is_given_name(listener.name) && reach_of(listener.address) <= reach_of(wanted);
    };
    return take_first(can_stand_in, name);
}

std::optional<InheritedListener> InheritedListeners::take(std::string_view name_or_address) {
    const auto has_name = [&](const InheritedListener& listener) {
        return !name_or_address.empty() && listener.name == name_or_address;
    };
    if (auto taken = take_first(has_name, name_or_address)) return taken;
    const auto wanted = address_in(name_or_address);
    if (!wanted) return std::nullopt;
    const auto is_there = [&](const InheritedListener& listener) { return is_same(listener.address, *wanted); };
    return take_first(is_there, name_or_address);
}

std::optional<InheritedListener> InheritedListeners::take_only() {
    return take_first([this](const InheritedListener&) { return count_ == 1; }, "the only one");
}

std::string InheritedListeners::list() const {
    std::string names;
    const auto add = [&names](const std::string& text) { names.append(names.empty() ? "" : ", ").append(text); };
    for (const InheritedListener& listener : available_) add(describe(listener));
    for (const std::string& text : taken_) add(text);
    return names.empty() ? "none" : names;
}

template <class Matches>
std::optional<InheritedListener> InheritedListeners::take_first(Matches matches, std::string_view taken_as) {
    const auto found = std::ranges::find_if(available_, matches);
    if (found == available_.end()) return std::nullopt;
    taken_.push_back(describe(*found) + ", taken as " + std::string(taken_as));
    InheritedListener taken = std::move(*found);
    available_.erase(found);
    return taken;
}

}  // namespace holdfast
